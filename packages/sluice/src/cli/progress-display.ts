import type { ExportState } from '../outside/export-state.ts';
import { formatProgress } from './export-progress.ts';

const FRAME_MS = 100;
const LINE_MS = 10_000;
const DEFAULT_COLUMNS = 80;

/** Where progress is shown: a terminal, whose last lines are drawn anew, or a log, which gets a line now and then. */
export interface ProgressOutput {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

/** Shows how far an export is, on standard error, while it runs. */
export class ProgressDisplay {
  readonly #output: ProgressOutput;
  readonly #timer: NodeJS.Timeout;
  #state: ExportState | undefined;
  #drawnLines = 0;

  constructor(output: ProgressOutput) {
    this.#output = output;
    this.#timer = setInterval(() => this.#show(), output.isTTY === true ? FRAME_MS : LINE_MS);
  }

  update(state: ExportState): void {
    this.#state = state;
  }

  /** Writes a line that stays, above what is drawn. */
  note(line: string): void {
    this.#erase();
    this.#output.write(`${line}\n`);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#erase();
  }

  #show(): void {
    if (this.#state === undefined) return;
    if (this.#output.isTTY !== true) {
      this.#output.write(`${formatProgress(this.#state, Infinity).at(-1) ?? ''}\n`);
      return;
    }
    const lines = formatProgress(this.#state, (this.#output.columns ?? DEFAULT_COLUMNS) - 1);
    this.#erase();
    this.#output.write(lines.map((line) => `${line}\n`).join(''));
    this.#drawnLines = lines.length;
  }

  #erase(): void {
    if (this.#drawnLines > 0) this.#output.write(`\u001b[${this.#drawnLines}A\u001b[J`);
    this.#drawnLines = 0;
  }
}
