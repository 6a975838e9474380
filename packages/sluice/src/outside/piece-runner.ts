import type { Compression } from '../compression/compression.ts';
import type { ObjectSettings } from '../s3/object-settings.ts';
import type { ExportPlan } from './export-plan.ts';
import type { PieceJob, PieceResult } from './piece-job.ts';
import type { ProgressMeter } from './progress-meter.ts';

/** How the pieces of one export are read and sent, the same for all of them, as plain data. */
export interface PieceSettings {
  bucket: string;
  compression: Compression | undefined;
  /** Of every object. */
  object: ObjectSettings;
}

/** What a runner of pieces is given, and tells. */
export interface PieceWork {
  plan: ExportPlan;
  settings: PieceSettings;
  meter: ProgressMeter;
  /** A piece is done. Each counts once, whatever was tried for it. */
  onDone: (result: PieceResult) => void;
  /** A piece is tried again, since its session was lost. */
  onRetry: (job: PieceJob, error: unknown) => void;
  signal: AbortSignal;
}

/**
 * Does the pieces of an export: with sessions of this process (localPieces), or on other machines.
 *
 * @returns when all are done
 * @throws the first failure, or the signal's reason, when nothing runs any more. The results that `onDone` was given are
 *   taken back by the caller; what else was sent, by the runner
 */
export type PieceRunner = (work: PieceWork) => Promise<void>;
