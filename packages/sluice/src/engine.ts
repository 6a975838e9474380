/**
 * What @sluice/fleet is built of: an export as a plan, pieces as plain data that any machine can do, and the clean-up of
 * what is left at S3. Not a public interface: it changes with any version.
 */
export { journalEntrySchema, type JournalEntry } from './clean-up/journal-entry.ts';
export { searchSpan } from './clean-up/search-span.ts';
export {
  absolutePath,
  bytes,
  duration,
  keysTogether,
  listenAddress,
  name,
  region,
  s3Keys,
  text,
} from './config/config-values.ts';
export { loadToml } from './config/load-config.ts';
export { regionOf } from './cli/aws-settings.ts';
export { unpublish } from './exporter/unpublish.ts';
export { baseCredentials } from './identity/base-credentials.ts';
export { inLanes } from './in-lanes.ts';
export { ExportPlan } from './outside/export-plan.ts';
export type { PieceJob, PieceResult } from './outside/piece-job.ts';
export type { PieceRunner, PieceSettings, PieceWork } from './outside/piece-runner.ts';
export type { PieceMeter } from './outside/progress-meter.ts';
export { runPlan } from './outside/run-plan.ts';
export { SnapshotReader } from './outside/snapshot-reader.ts';
export { findMultipartUploads } from './s3/find-uploads.ts';
export { isDatabaseError } from './database-error.ts';
export { disconnect } from './source/connect.ts';
export { steadyNow } from './steady-clock.ts';
export { joinSnapshot, type SharedSnapshot } from './tables/join-snapshot.ts';
export type { Table } from './tables/table.ts';
