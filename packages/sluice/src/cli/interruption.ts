import { SluiceError } from '../errors.ts';

/** The status that shells give to who was ended so. */
const EXIT_STATUSES = new Map<NodeJS.Signals, number>([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
]);

/** Ctrl-C, a SIGTERM or a closed terminal (SIGHUP), as an AbortSignal: the work ends in order before the process does. */
export class Interruption {
  readonly #controller = new AbortController();
  #name: NodeJS.Signals | undefined;
  readonly #listener = (name: NodeJS.Signals): void => {
    this.#name ??= name;
    this.#controller.abort(new SluiceError('export_aborted', 'the export was interrupted'));
  };

  constructor() {
    for (const name of EXIT_STATUSES.keys()) process.on(name, this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Undefined when there was none. */
  get exitStatus(): number | undefined {
    return this.#name === undefined ? undefined : EXIT_STATUSES.get(this.#name);
  }

  /** No more signals are caught. */
  end(): void {
    for (const name of EXIT_STATUSES.keys()) process.off(name, this.#listener);
  }
}
