import type { ExportState, TableState } from './export-state.ts';

/** Counts what an export has done. What a piece had done counts no more when it is begun again. */
export class ProgressMeter {
  readonly #startedAt = performance.now();
  readonly #tables: TableState[];
  #phase: ExportState['phase'] = 'reading';
  #storedBytes = 0;
  #publishedFiles = 0;

  constructor(tables: readonly Pick<TableState, 'name' | 'pieces' | 'estimatedRows' | 'estimatedBytes'>[]) {
    this.#tables = tables.map((table) => ({ ...table, donePieces: 0, running: 0, rows: 0, bytes: 0 }));
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
  begin(index: number): PieceMeter {
    const table = this.#tables[index];
    if (table === undefined) throw new Error(`there is no table ${index}`);
    table.running += 1;
    const counted = { rows: 0, bytes: 0, storedBytes: 0 };
    return {
      count: ({ rows, bytes, storedBytes }) => {
        table.rows += rows - counted.rows;
        table.bytes += bytes - counted.bytes;
        this.#storedBytes += storedBytes - counted.storedBytes;
        Object.assign(counted, { rows, bytes, storedBytes });
      },
      done: () => {
        table.running -= 1;
        table.donePieces += 1;
      },
      failed: () => {
        table.running -= 1;
        table.rows -= counted.rows;
        table.bytes -= counted.bytes;
        this.#storedBytes -= counted.storedBytes;
      },
    };
  }
}

export interface PieceMeter {
  /** How much it has done by now. */
  count(done: { rows: number; bytes: number; storedBytes: number }): void;
  done(): void;
  failed(): void;
}
