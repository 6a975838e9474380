import type { ExportState } from '../outside/export-state.ts';
import { formatProgress, formatTotal } from './export-progress.ts';

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
    this.#output.write(`${this.#erased()}${line}\n`);
  }

  end(): void {
    clearInterval(this.#timer);
    const erased = this.#erased();
    if (erased !== '') this.#output.write(erased);
  }

  #show(): void {
    if (this.#state === undefined) return;
    if (this.#output.isTTY !== true) {
      this.#output.write(`${formatTotal(this.#state, Infinity)}\n`);
      return;
    }
    // A terminal that does not say how wide it is says 0.
    const columns = this.#output.columns || DEFAULT_COLUMNS;
    // A character in the last column makes some terminals begin another line.
    const lines = formatProgress(this.#state, columns - 1);
    // In one piece, or it flickers.
    this.#output.write(this.#erased() + lines.map((line) => `${line}\n`).join(''));
    this.#drawnLines = lines.length;
  }

  /** What takes back what is drawn. */
  #erased(): string {
    const sequence = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A\u001b[J` : '';
    this.#drawnLines = 0;
    return sequence;
  }
}
