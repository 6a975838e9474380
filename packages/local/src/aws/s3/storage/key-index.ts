import { compareUtf8 } from './utf8-order.ts';

/**
 * A map whose keys can be walked in UTF-8 order. The order is an array: a new last key is a push, any other a binary
 * search and one memmove, which for a million keys takes less than a millisecond.
 */
export class KeyIndex<Value> {
  readonly #values = new Map<string, Value>();
  readonly #order: string[] = [];
  #sorted = true;

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  values(): IterableIterator<Value> {
    return this.#values.values();
  }

  set(key: string, value: Value): void {
    const isNew = !this.#values.has(key);
    this.#values.set(key, value);
    if (!isNew) return;
    const last = this.#order.at(-1);
    if (!this.#sorted || last === undefined || compareUtf8(last, key) < 0) this.#order.push(key);
    else
      this.#order.splice(
        this.firstPosition((other) => compareUtf8(other, key) >= 0),
        0,
        key,
      );
  }

  /** Adds many keys in any order and sorts once: for loading. */
  setAll(entries: Iterable<readonly [string, Value]>): void {
    this.#sorted = false;
    for (const [key, value] of entries) this.set(key, value);
    this.#order.sort(compareUtf8);
    this.#sorted = true;
  }

  delete(key: string): void {
    if (!this.#values.delete(key)) return;
    this.#order.splice(
      this.firstPosition((other) => compareUtf8(other, key) >= 0),
      1,
    );
  }

  /** The key at a position of the order. */
  keyAt(position: number): string | undefined {
    return this.#order[position];
  }

  /** The first position whose key satisfies `test`, which must be false, then true, along the order. */
  firstPosition(test: (key: string) => boolean): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (test(this.#order[middle] ?? '')) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
