import { constraintError } from './query-error.ts';

export interface TextLimits {
  /** In characters. @default 1 */
  readonly min?: number;
  readonly max?: number;
  /** Of the whole value. */
  readonly pattern?: RegExp;
}

/**
 * The parameters of a request. Lists and structures are flattened into names: `Tags.member.1.Key`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/programming.html
 */
export class QueryForm {
  readonly #values: ReadonlyMap<string, string>;

  constructor(entries: Iterable<readonly [name: string, value: string]>) {
    this.#values = new Map(entries);
  }

  /** All parameters, unchanged. */
  get entries(): Iterable<readonly [name: string, value: string]> {
    return this.#values;
  }

  /** Undefined when the parameter is missing or empty. */
  optional(name: string, limits: TextLimits = {}): string | undefined {
    const value = this.#values.get(name);
    if (value === undefined || value === '') return undefined;
    return checkText(name, value, limits);
  }

  /** @throws QueryError ValidationError */
  required(name: string, limits: TextLimits = {}): string {
    const value = this.#values.get(name);
    if (value === undefined) throw constraintError(name, undefined, 'not be null');
    return checkText(name, value, limits);
  }

  integer(name: string, { min, max }: { readonly min: number; readonly max: number }): number | undefined {
    const text = this.optional(name);
    if (text === undefined) return undefined;
    const value = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value)) throw constraintError(name, text, 'be an integer');
    if (value < min) throw constraintError(name, text, `have value greater than or equal to ${min}`);
    if (value > max) throw constraintError(name, text, `have value less than or equal to ${max}`);
    return value;
  }

  boolean(name: string): boolean {
    return this.optional(name)?.toLowerCase() === 'true';
  }

  /** The texts of a list. */
  list(name: string): string[] {
    return this.#members(name).flatMap((member) => this.#values.get(member) ?? []);
  }

  /** The structures of a list. */
  structures(name: string): QueryForm[] {
    return this.#members(name).map((member) => {
      const prefix = `${member}.`;
      const own = [...this.#values].filter(([key]) => key.startsWith(prefix));
      return new QueryForm(own.map(([key, value]) => [key.slice(prefix.length), value] as const));
    });
  }

  /** `Tags.member.1`, `Tags.member.2`, in the order of their numbers. */
  #members(name: string): string[] {
    const prefix = `${name}.member.`;
    const numbers = [...this.#values.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => Number.parseInt(key.slice(prefix.length), 10))
      .filter((number) => number > 0);
    return [...new Set(numbers)].toSorted((a, b) => a - b).map((number) => `${prefix}${number}`);
  }
}

function checkText(name: string, value: string, { min = 1, max, pattern }: TextLimits): string {
  if (value.length < min) {
    throw constraintError(name, value, `have length greater than or equal to ${min}`);
  }
  if (max !== undefined && value.length > max) {
    throw constraintError(name, value, `have length less than or equal to ${max}`);
  }
  if (pattern !== undefined && !pattern.test(value)) {
    const shown = pattern.source.replace(/^\^|\$$/g, '');
    throw constraintError(name, value, `satisfy regular expression pattern: ${shown}`);
  }
  return value;
}
