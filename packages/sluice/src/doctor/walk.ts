import { isSluiceError } from '../errors.ts';

export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** The result of one check, as people and `--json` see it. */
export interface CheckResult {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found, in one sentence without a full stop. */
  readonly found: string;
  /** What to do about it. */
  readonly mend?: string | undefined;
}

/** What a check found. Later checks use `value`; if it is missing, those that need it are skipped. */
export interface Finding<T = true> {
  readonly status: CheckStatus;
  readonly found: string;
  readonly mend?: string | undefined;
  readonly value?: T | undefined;
}

/** A check that has run, or was skipped. */
export interface Step<T> extends CheckResult {
  readonly value?: T | undefined;
  /** The failed check because of which this one was skipped. */
  readonly blockedBy?: string | undefined;
}

type Needs = Readonly<Record<string, Step<unknown>>>;
type ValuesOf<N extends Needs> = { [K in keyof N]: N[K] extends Step<infer T> ? T : never };

export interface WalkOptions {
  /** Ends the current check; later ones are skipped, except those that clean up. */
  signal: AbortSignal;
  /** Called with each result as soon as its check has ended. */
  onResult: (result: CheckResult) => void;
}

/** Runs checks one after another. `check` never throws: an error becomes the result of the check. */
export class Walk {
  readonly #options: WalkOptions;
  readonly #results: CheckResult[] = [];

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  get results(): readonly CheckResult[] {
    return this.#results;
  }

  /**
   * @param needs the steps whose values the check uses: if one has no value, the check is skipped and says why
   * @param options.cleansUp the check runs even after an interruption
   */
  async check<T, N extends Needs>(
    name: string,
    needs: N,
    run: (values: ValuesOf<N>) => Promise<Finding<T>>,
    { cleansUp = false }: { cleansUp?: boolean } = {},
  ): Promise<Step<T>> {
    const step = { name, ...(await this.#find(needs, run, cleansUp)) };
    const { status, found, mend } = step;
    const result = { name, status, found, ...(mend === undefined ? {} : { mend }) };
    this.#results.push(result);
    this.#options.onResult(result);
    return step;
  }

  async #find<T, N extends Needs>(
    needs: N,
    run: (values: ValuesOf<N>) => Promise<Finding<T>>,
    cleansUp: boolean,
  ): Promise<Omit<Step<T>, 'name'>> {
    const { signal } = this.#options;
    const missing = Object.values(needs).find(({ value }) => value === undefined);
    if (missing !== undefined) return skippedFor(missing);
    const values = Object.fromEntries(Object.entries(needs).map(([key, { value }]) => [key, value]));
    if (!areThere<N>(values)) throw new TypeError('a check lacks what it needs');
    if (signal.aborted && !cleansUp) return { status: 'skipped', found: 'interrupted' };
    try {
      return await run(values);
    } catch (error) {
      return signal.aborted ? { status: 'failed', found: 'interrupted' } : failedWith(error);
    }
  }
}

function areThere<N extends Needs>(values: object): values is ValuesOf<N> {
  return Object.values(values).every((value) => value !== undefined);
}

function skippedFor({ name, status, found, blockedBy }: Step<unknown>): Omit<Step<never>, 'name'> {
  const failed = status === 'failed' ? name : blockedBy;
  if (failed === undefined) return { status: 'skipped', found };
  return { status: 'skipped', found: `needs "${failed}", which failed`, blockedBy: failed };
}

/** Turns an error into a finding: its message and detail become `found`, its hint becomes `mend`. */
export function failedWith(error: unknown): Finding<never> {
  const { detail, hint } = asFields(error);
  const message = messageOf(error);
  return {
    status: 'failed',
    found: detail === undefined ? message : `${message}: ${withoutFullStop(detail)}`,
    mend: hint,
  };
}

export function messageOf(error: unknown): string {
  // For a host name with several addresses Node throws an AggregateError without a message.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** The fields of Sluice's errors and of PostgreSQL's. */
function asFields(error: unknown): { detail?: string | undefined; hint?: string | undefined } {
  if (isSluiceError(error)) return error;
  if (!(error instanceof Error)) return {};
  return {
    ...('detail' in error && typeof error.detail === 'string' ? { detail: error.detail } : {}),
    ...('hint' in error && typeof error.hint === 'string' ? { hint: error.hint } : {}),
  };
}

function withoutFullStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
