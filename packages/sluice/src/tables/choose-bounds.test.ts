import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseBounds, type WeighedValue } from './choose-bounds.ts';

const each = (weights: readonly number[]): WeighedValue[] =>
  weights.map((at, i) => ({ value: `v${i}`, before: 0, at }));

describe('chooseBounds', () => {
  it('cuts values of one weight into equal ranges', () => {
    expect(chooseBounds(each(Array.from({ length: 100 }, () => 1)), 4)).toEqual(['v25', 'v50', 'v75']);
  });

  it('cuts between the bounds of a histogram', () => {
    const histogram = Array.from({ length: 101 }, (_, i) => ({
      value: `${i}`,
      before: i === 0 ? 0 : 0.01,
      at: 0,
    }));
    expect(chooseBounds(histogram, 4)).toEqual(['25', '50', '75']);
  });

  it('begins a range with a value that many rows have, and ends it after that value', () => {
    expect(chooseBounds(each([1, 1, 1, 20, 1, 1, 1]), 9)).toEqual(['v3', 'v4']);
    expect(chooseBounds(each([20, 1, 1, 1]), 4)).toEqual(['v1']);
  });

  it('has nothing to cut in no value, or in one', () => {
    expect(chooseBounds([], 8)).toEqual([]);
    expect(chooseBounds(each([5]), 8)).toEqual([]);
  });

  it('gives ranges that have rows each, none of which is far larger than its share unless by one value', () => {
    const weight = fc.integer({ min: 1, max: 1000 });
    const value = fc.record({ before: fc.oneof(fc.constant(0), weight), at: weight });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        (list, count) => {
          const values = list.map((item, i) => ({ ...item, value: `v${i}` }));
          const bounds = chooseBounds(values, count);
          const weights = values.flatMap(({ before, at }) => [before, at]);
          const sum = (of: readonly number[]) => of.reduce((total, item) => total + item, 0);
          // A range begins with the rows of its bound, not with those before them.
          const places = bounds.map((bound) => 2 * values.findIndex((item) => item.value === bound) + 1);
          expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b));
          for (const [i, to] of [...places, weights.length].entries()) {
            const range = weights.slice(places[i - 1] ?? 0, to);
            expect(sum(range)).toBeGreaterThan(0);
            expect(sum(range)).toBeLessThanOrEqual(sum(weights) / count + 2 * Math.max(...range) + 1e-6);
          }
        },
      ),
    );
  });
});
