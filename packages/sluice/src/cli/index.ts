/**
 * What the commands of @sluice/fleet share with those here, so that they look and behave the same. Not a public
 * interface: it changes with any version.
 */
export { prefixOf, type Destination } from './export-destination.ts';
export type { ExportFlags } from './export.ts';
export { shareOf } from './export-progress.ts';
export { ExportReport } from './export-report.ts';
export { formatBytes, formatCount, formatDuration } from './format-quantity.ts';
export { Interruption } from './interruption.ts';
export { nodeNotice } from './node-notice.ts';
export { openLog } from './open-log.ts';
export { readQuery } from './read-query.ts';
export { storageSettings } from './storage-settings.ts';
export { printable, printableLine } from '../printable.ts';
