import { compareUtf8 } from './utf8-order.ts';

const LARGEST_BLOCK = 1000;

/**
 * A map whose keys can be iterated in UTF-8 order. The keys are kept in several sorted blocks: in one array of a
 * hundred thousand keys, an insertion would move half of them on average.
 */
export class KeyIndex<Value> {
  readonly #values = new Map<string, Value>();
  /** The sorted blocks; none is empty. */
  #blocks: string[][] = [];

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
    if (!this.#values.has(key)) this.#insert(key);
    this.#values.set(key, value);
  }

  /** Fills an empty index with keys in any order, sorting once. */
  load(entries: Iterable<readonly [string, Value]>): void {
    for (const [key, value] of entries) this.#values.set(key, value);
    const sorted = [...this.#values.keys()].toSorted(compareUtf8);
    for (let start = 0; start < sorted.length; start += LARGEST_BLOCK) {
      this.#blocks.push(sorted.slice(start, start + LARGEST_BLOCK));
    }
  }

  delete(key: string): void {
    if (!this.#values.delete(key)) return;
    const number = this.#findBlock((other) => compareUtf8(other, key) >= 0);
    const block = this.#blocks[number] ?? [];
    block.splice(
      firstIndex(block, (other) => compareUtf8(other, key) >= 0),
      1,
    );
    if (block.length === 0) this.#blocks.splice(number, 1);
  }

  /**
   * The keys in order, from the first one that satisfies `test`. Along the order, `test` must be false for some keys
   * and then true for all others. No key may be added or deleted meanwhile.
   */
  *keysFrom(test: (key: string) => boolean): Generator<string> {
    const start = this.#findBlock(test);
    for (let number = start; number < this.#blocks.length; number++) {
      const block = this.#blocks[number] ?? [];
      yield* number === start ? block.slice(firstIndex(block, test)) : block;
    }
  }

  #insert(key: string): void {
    const isBehind = (other: string) => compareUtf8(other, key) >= 0;
    const number = Math.min(this.#findBlock(isBehind), Math.max(this.#blocks.length - 1, 0));
    const block = (this.#blocks[number] ??= []);
    block.splice(firstIndex(block, isBehind), 0, key);
    if (block.length > LARGEST_BLOCK) this.#blocks.splice(number + 1, 0, block.splice(LARGEST_BLOCK / 2));
  }

  /** The number of the first block that has a key which satisfies `test`. */
  #findBlock(test: (key: string) => boolean): number {
    return firstIndex(this.#blocks, (block) => test(block.at(-1) ?? ''));
  }
}

/** The first index whose item satisfies `test`, which must be false up to some index and true from there on. */
function firstIndex<Item>(items: readonly Item[], test: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && test(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
