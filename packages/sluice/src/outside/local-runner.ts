import { BufferMemory } from '../exporter/buffer-memory.ts';
import type { UploadJournal } from '../exporter/upload-journal.ts';
import type { S3Connection } from '../s3/connection.ts';
import { doPieces } from './local-pieces.ts';
import type { PieceRunner } from './piece-runner.ts';
import { SnapshotReader } from './snapshot-reader.ts';

const DEFAULT_JOBS = 4;
/** So that the process takes less than 200 MB. A fast network that answers late needs more: rate x delay. */
const DEFAULT_MEMORY_BYTES = 56 * 1024 ** 2;

export interface LocalRunnerOptions {
  connection: S3Connection;
  /** Sessions at a time. @default 4 */
  jobs?: number | undefined;
  /** @default one of its own, of 56 MiB */
  memory?: BufferMemory | undefined;
  journal?: UploadJournal | undefined;
}

/** Does the pieces with sessions of this process. */
export function localRunner(options: LocalRunnerOptions): PieceRunner {
  const {
    connection,
    jobs = DEFAULT_JOBS,
    memory = new BufferMemory({ limitBytes: DEFAULT_MEMORY_BYTES }),
    journal,
  } = options;
  return ({ plan, settings, meter, onDone, onRetry, signal }) =>
    doPieces(plan.jobs, {
      lanes: jobs,
      open: async (opening) =>
        new SnapshotReader({
          client: await plan.connect(opening),
          settings,
          connection,
          memory,
          journal,
          meter: ({ table, estimatedBytes }) => meter.begin(table, estimatedBytes),
        }),
      onDone,
      onRetry,
      signal,
    });
}
