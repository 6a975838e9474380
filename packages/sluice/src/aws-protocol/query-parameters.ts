import { percentDecode } from './percent-encoding.ts';

/** The query of a request, decoded, in the order and with the repetitions of the request. */
export class QueryParameters {
  readonly entries: readonly (readonly [name: string, value: string])[];
  readonly #first: ReadonlyMap<string, string>;

  constructor(rawQuery: string) {
    this.entries = rawQuery
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const equals = pair.indexOf('=');
        const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
        return [
          percentDecode(name, { plusIsSpace: true }),
          percentDecode(value, { plusIsSpace: true }),
        ] as const;
      });
    this.#first = new Map(this.entries.toReversed());
  }

  has(name: string): boolean {
    return this.#first.has(name);
  }

  get(name: string): string | undefined {
    return this.#first.get(name);
  }
}
