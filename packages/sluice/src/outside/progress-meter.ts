import type { ExportState, TableState } from './export-state.ts';

/** Counts what an export has done. What a piece had done counts no more when it is begun again. */
export class ProgressMeter {
  readonly #startedAt = performance.now();
  readonly #tables: TableState[];
  #phase: ExportState['phase'] = 'reading';
  #storedBytes = 0;
  #publishedFiles = 0;

  constructor(tables: readonly Pick<TableState, 'name' | 'pieces' | 'estimatedRows' | 'estimatedBytes'>[]) {
    this.#tables = tables.map((table) => ({
      ...table,
      donePieces: 0,
      running: 0,
      coveredBytes: 0,
      rows: 0,
      bytes: 0,
    }));
  }

  get state(): ExportState {
    return {
      phase: this.#phase,
      tables: this.#tables,
      storedBytes: this.#storedBytes,
      publishedFiles: this.#publishedFiles,
      elapsedMs: performance.now() - this.#startedAt,
    };
  }

  enter(phase: ExportState['phase']): void {
    this.#phase = phase;
  }

  published(files: number): void {
    this.#publishedFiles += files;
  }

  /** One attempt at a piece of a table. */
  begin(index: number, estimatedBytes: number): PieceMeter {
    const table = this.#tables[index];
    if (table === undefined) throw new Error(`there is no table ${index}`);
    table.running += 1;
    let counted = { rows: 0, bytes: 0, storedBytes: 0, coveredBytes: 0 };
    const count = (next: typeof counted): void => {
      table.rows += next.rows - counted.rows;
      table.bytes += next.bytes - counted.bytes;
      table.coveredBytes += next.coveredBytes - counted.coveredBytes;
      this.#storedBytes += next.storedBytes - counted.storedBytes;
      counted = next;
    };
    return {
      count: (done) =>
        count({ ...counted, ...done, coveredBytes: Math.min(done.bytes ?? counted.bytes, estimatedBytes) }),
      done: () => {
        count({ ...counted, coveredBytes: estimatedBytes });
        table.running -= 1;
        table.donePieces += 1;
      },
      failed: () => {
        count({ rows: 0, bytes: 0, storedBytes: 0, coveredBytes: 0 });
        table.running -= 1;
      },
    };
  }
}

export interface PieceMeter {
  /** How much it has done by now. */
  count(done: { rows?: number; bytes?: number; storedBytes?: number }): void;
  done(): void;
  failed(): void;
}
