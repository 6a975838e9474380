/**
 * The headers of a request by name, read from node:http's rawHeaders. Its `headers` object is not used: the names
 * `__proto__` and `constructor` exist in every object, and of several Authorization headers it keeps only the first.
 */
export class RequestHeaders {
  readonly #lines: ReadonlyMap<string, readonly string[]>;

  /** @param rawHeaders name, value, name, value, … */
  constructor(rawHeaders: readonly string[]) {
    const lines = new Map<string, string[]>();
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = (rawHeaders[i] ?? '').toLowerCase();
      const values = lines.get(name) ?? [];
      values.push(rawHeaders[i + 1] ?? '');
      lines.set(name, values);
    }
    this.#lines = lines;
  }

  /** The value of a header (lower-case name); several lines of one header are joined by commas, as SigV4 does. */
  get(name: string): string | undefined {
    return this.#lines.get(name)?.join(',');
  }

  /** On how many lines a header (lower-case name) occurs. */
  lineCount(name: string): number {
    return this.#lines.get(name)?.length ?? 0;
  }

  /** All names, in lower case. */
  names(): string[] {
    return [...this.#lines.keys()];
  }
}
