import type { ExportPlan } from '../outside/export-plan.ts';
import type { ExportState } from '../outside/export-state.ts';
import { printable } from '../printable.ts';
import { formatBytes, formatCount, formatDuration } from './format-quantity.ts';
import { ProgressDisplay } from './progress-display.ts';
import { errorLines, reportError } from './report-error.ts';

const JSON_PROGRESS_MS = 1_000;

export interface Exported {
  uri: string;
  rows: bigint;
  files: number;
  /** That COPY has written. */
  bytes: number;
  storedBytes: number;
  manifest?: string | undefined;
}

/** What a person, or with --json a program, is told of an export: progress on standard error, events on standard output. */
export class ExportReport {
  readonly #isJson: boolean;
  readonly #isQuiet: boolean;
  readonly #display: ProgressDisplay | undefined;
  readonly #startedAt = performance.now();
  #toldAt = 0;
  #isHeard = true;

  constructor({ json = false, quiet = false }: { json?: boolean; quiet?: boolean }) {
    this.#isJson = json;
    this.#isQuiet = quiet;
    // Who reads along may go (`| head`), and a log's disk be full: the export itself goes on.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => (this.#isHeard = false));
    this.#display = json || quiet ? undefined : new ProgressDisplay(process.stderr);
  }

  planned({ tables, jobs, keeper }: Pick<ExportPlan, 'tables' | 'jobs' | 'keeper'>): void {
    const { takenAt, lsn } = keeper.snapshot;
    this.#event('planned', {
      tables: tables.map(({ name, pieces }) => ({ name, pieces: pieces.length })),
      pieces: jobs.length,
      snapshot: { taken_at: takenAt.toISOString(), lsn: lsn ?? null },
    });
  }

  progress(state: ExportState): void {
    if (!this.#isHeard) return;
    this.#display?.update(state);
    if (!this.#isJson || performance.now() - this.#toldAt < JSON_PROGRESS_MS) return;
    this.#toldAt = performance.now();
    const { phase, tables, storedBytes, publishedFiles, elapsedMs } = state;
    this.#event('progress', {
      phase,
      rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
      stored_bytes: storedBytes,
      pieces: tables.reduce((sum, { pieces }) => sum + pieces, 0),
      done_pieces: tables.reduce((sum, { donePieces }) => sum + donePieces, 0),
      published_files: publishedFiles,
      elapsed_ms: Math.round(elapsedMs),
    });
  }

  retried(key: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.tell('retry', { key, reason }, `${key} is read again: ${reason}`);
  }

  /** Something that happened: an event for programs, and a line for people, above the progress. */
  tell(event: string, fields: object, line: string): void {
    this.#event(event, fields);
    this.#display?.note(printable(line));
  }

  done({ uri, rows, files, bytes, storedBytes, manifest }: Exported): void {
    const elapsedMs = performance.now() - this.#startedAt;
    this.#event('done', {
      uri,
      rows: Number(rows),
      files,
      bytes,
      stored_bytes: storedBytes,
      manifest: manifest ?? null,
      elapsed_ms: Math.round(elapsedMs),
    });
    if (this.#isJson || this.#isQuiet) return;
    this.end();
    const stored = storedBytes === bytes ? '' : `, ${formatBytes(storedBytes)} stored`;
    const rate = formatBytes((bytes * 1000) / elapsedMs);
    process.stdout.write(
      `exported ${formatCount(Number(rows))} rows (${formatBytes(bytes)}${stored}) in ${formatCount(files)} ${
        files === 1 ? 'file' : 'files'
      } to ${uri} in ${formatDuration(elapsedMs)}, ${rate}/s\n`,
    );
    if (manifest !== undefined) process.stdout.write(`manifest: ${manifest}\n`);
  }

  failed(error: unknown): void {
    this.end();
    if (this.#isJson) {
      const [message, ...more] = errorLines(error) ?? [String(error)];
      this.#event('failed', { message, more });
    }
    reportError(error);
  }

  end(): void {
    this.#display?.end();
  }

  #event(event: string, fields: object): void {
    if (this.#isJson && this.#isHeard) process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
  }
}
