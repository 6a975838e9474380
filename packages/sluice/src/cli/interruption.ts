import { SluiceError } from '../errors.ts';

const EXIT_STATUSES = { SIGINT: 130, SIGTERM: 143 } as const;
type Name = keyof typeof EXIT_STATUSES;

/** Ctrl-C, or a SIGTERM, as an AbortSignal: the work ends in order, and the process with the status that shells give. */
export class Interruption {
  readonly #controller = new AbortController();
  #name: Name | undefined;
  readonly #listener = (name: NodeJS.Signals): void => {
    if (name !== 'SIGINT' && name !== 'SIGTERM') return;
    this.#name ??= name;
    this.#controller.abort(new SluiceError('export_aborted', 'the export was interrupted'));
  };

  constructor() {
    process.on('SIGINT', this.#listener).on('SIGTERM', this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Undefined when there was none. */
  get exitStatus(): number | undefined {
    return this.#name === undefined ? undefined : EXIT_STATUSES[this.#name];
  }

  /** No more signals are caught. */
  end(): void {
    process.off('SIGINT', this.#listener).off('SIGTERM', this.#listener);
  }
}
