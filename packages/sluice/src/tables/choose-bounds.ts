/** A value of the column, in its order, and what part of the rows it stands for. */
export interface WeighedValue {
  value: string;
  /** Of the rows between the value before it and this one. */
  before: number;
  /** Of the rows that have this value. */
  at: number;
}

/**
 * Values that cut rows into about so many ranges of about the same weight; each is the first value of a range, and the
 * first range begins before all of them. The rows of one value cannot be cut: one that has many makes a large range, which begins with it unless
 * there is next to nothing before it.
 *
 * @param values each once, in order
 * @returns some of the values, in order
 */
export function chooseBounds(values: readonly WeighedValue[], count: number): string[] {
  const total = values.reduce((sum, { before, at }) => sum + before + at, 0);
  const share = total / count;
  const bounds: string[] = [];
  /** Of the range that is being filled, and of what is not in a range yet. */
  let weight = 0;
  let rest = total;
  for (const { value, before, at } of values) {
    weight += before;
    rest -= before;
    const isFull = weight >= share - TINY * share || (at >= share && weight >= share / 2);
    if (isFull && weight > 0 && rest > TINY * share) {
      bounds.push(value);
      weight = 0;
    }
    weight += at;
    rest -= at;
  }
  return bounds;
}

/** As sums are rounded. */
const TINY = 1e-6;
