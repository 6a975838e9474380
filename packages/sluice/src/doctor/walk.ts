import { isSluiceError } from '../errors.ts';

export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** One step of the doctor, for people and for `--json`. */
export interface CheckResult {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found, in one sentence without a full stop. */
  readonly found: string;
  /** What to do about it. */
  readonly mend?: string | undefined;
}

/** What a check found; `value` is what later checks go on with, and without it they are skipped. */
export interface Finding<T = true> {
  readonly status: CheckStatus;
  readonly found: string;
  readonly mend?: string | undefined;
  readonly value?: T | undefined;
}

/** A check that was made, or skipped. */
export interface Step<T> extends CheckResult {
  readonly value?: T | undefined;
  /** The check that failed, for want of which this one was skipped. */
  readonly blockedBy?: string | undefined;
}

type Needs = Readonly<Record<string, Step<unknown>>>;
type ValuesOf<N extends Needs> = { [K in keyof N]: N[K] extends Step<infer T> ? T : never };

export interface WalkOptions {
  /** Ends the check under way; those after it are skipped, but for the ones that clean up. */
  signal: AbortSignal;
  /** Told of each check when it has ended. */
  onResult: (result: CheckResult) => void;
}

/** Makes one check after another. A check never throws: what it threw is what it found. */
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
   * @param needs the steps whose values the check goes on with: without one of them it is skipped, and says so
   * @param options.cleansUp made even when the walk was interrupted
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
    if (signal.aborted && !cleansUp) return { status: 'skipped', found: 'interrupted' };
    const values = Object.fromEntries(Object.entries(needs).map(([key, { value }]) => [key, value]));
    try {
      // Every value is there, as was just looked.
      return await run(values as ValuesOf<N>);
    } catch (error) {
      return signal.aborted ? { status: 'failed', found: 'interrupted' } : failedWith(error);
    }
  }
}

function skippedFor({ name, status, found, blockedBy }: Step<unknown>): Omit<Step<never>, 'name'> {
  const failed = status === 'failed' ? name : blockedBy;
  if (failed === undefined) return { status: 'skipped', found };
  return { status: 'skipped', found: `needs "${failed}", which failed`, blockedBy: failed };
}

/** An error as a finding: its message and detail are what was found, its hint is how to mend it. */
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
  // Node's, for a name with several addresses, has no message of its own.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** Ours, and those of PostgreSQL. */
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
