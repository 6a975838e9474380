/** A number in the notation of the document, so that no digit is lost. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Objects are Maps, so that a key such as `__proto__` is a key like any other. */
export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue = string | boolean | null | JsonNumber | readonly JsonValue[] | JsonObject;

export interface JsonLimits {
  readonly maxDepth: number;
}

/**
 * Parses JSON with the rules of policies: a key that occurs twice in an object is an error, since JSON.parse would keep
 * the last, and another reader of the policy might keep the first. Nesting deeper than the limit is an error, too.
 * Throws a SyntaxError.
 */
export function parseJsonStrictly(text: string, limits: JsonLimits): JsonValue {
  const reader = new JsonReader(text, limits.maxDepth);
  const value = reader.value(0);
  reader.end();
  return value;
}

const WHITESPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const WORDS = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

class JsonReader {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  value(depth: number): JsonValue {
    if (depth > this.#maxDepth) throw this.#error('too deeply nested');
    this.#take(WHITESPACE);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#word();
    }
  }

  end(): void {
    this.#take(WHITESPACE);
    if (this.#at < this.#text.length) throw this.#error('more text after the end');
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.#list('}', () => {
      this.#take(WHITESPACE);
      const key = this.#string();
      if (members.has(key)) throw this.#error(`the key ${JSON.stringify(key)} stands twice`);
      this.#take(WHITESPACE);
      if (!this.#skip(':')) throw this.#error('a colon was expected');
      members.set(key, this.value(depth + 1));
    });
    return members;
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.#list(']', () => items.push(this.value(depth + 1)));
    return items;
  }

  #list(close: string, readMember: () => void): void {
    this.#at += 1;
    this.#take(WHITESPACE);
    if (this.#skip(close)) return;
    do {
      readMember();
      this.#take(WHITESPACE);
    } while (this.#skip(','));
    if (!this.#skip(close)) throw this.#error(`${close} was expected`);
  }

  #string(): string {
    const token = this.#take(STRING);
    if (token === undefined) throw this.#error('a string was expected');
    const value: unknown = JSON.parse(token);
    if (typeof value !== 'string') throw this.#error('a string was expected');
    return value;
  }

  #word(): JsonValue {
    for (const [word, value] of WORDS) {
      if (this.#skip(word)) return value;
    }
    const digits = this.#take(NUMBER);
    if (digits === undefined) throw this.#error('a value was expected');
    return new JsonNumber(digits);
  }

  #skip(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.#text)?.[0];
    if (token !== undefined) this.#at += token.length;
    return token;
  }

  #error(problem: string): SyntaxError {
    return new SyntaxError(`${problem} at character ${this.#at}`);
  }
}
