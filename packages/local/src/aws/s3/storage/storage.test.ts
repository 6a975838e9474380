import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listKeys } from '../listing/list-keys.ts';
import { KeyIndex } from './key-index.ts';
import { sliceSegments } from './segment-files.ts';
import { compareUtf8 } from './utf8-order.ts';

const wellFormed = fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => text.isWellFormed());

describe('compareUtf8', () => {
  it('orders as the bytes of UTF-8 do', () => {
    fc.assert(
      fc.property(wellFormed, wellFormed, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
    expect(compareUtf8('\u{ffff}', '\u{10000}')).toBeLessThan(0);
  });
});

describe('KeyIndex', () => {
  it('keeps its keys in order, whatever is added and deleted', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'é', '\u{1f600}', '\u{ff5e}');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), key)), (changes) => {
        const index = new KeyIndex<number>();
        const model = new Set<string>();
        for (const [add, name] of changes) {
          if (add) {
            index.set(name, 1);
            model.add(name);
          } else {
            index.delete(name);
            model.delete(name);
          }
        }
        const keys = [...index.keysFrom(() => true)];
        expect(keys).toEqual([...model].toSorted(compareUtf8));
      }),
    );
  });

  it('keeps its order when its blocks are split and emptied', () => {
    const index = new KeyIndex<number>();
    const names = Array.from({ length: 5000 }, (_, number) =>
      String((number * 7919) % 10_007).padStart(5, '0'),
    );
    for (const name of names) index.set(name, 1);
    expect([...index.keysFrom(() => true)]).toEqual(names.toSorted(compareUtf8));
    expect(index.keysFrom((key) => key >= '05000').next().value).toBe(
      names.toSorted(compareUtf8).find((name) => name >= '05000'),
    );
    for (const name of names.slice(0, 4990)) index.delete(name);
    expect([...index.keysFrom(() => true)]).toEqual(names.slice(4990).toSorted(compareUtf8));
  });

  it('lists a hundred thousand keys by page and by prefix in no time', () => {
    const index = new KeyIndex<number>();
    const names = Array.from(
      { length: 100_000 },
      (_, number) => `${number % 100}/${(number * 7919) % 100_003}`,
    );
    index.load(names.map((name, number) => [name, number]));
    const startedMs = performance.now();
    const options = { prefix: '', after: '', maxEntries: 1000 };
    expect(listKeys(index, { ...options, delimiter: '/' }).commonPrefixes).toHaveLength(100);
    let pages = 0;
    for (let after: string | undefined = ''; after !== undefined; pages++) {
      after = listKeys(index, { ...options, delimiter: '', after }).next;
    }
    expect(pages).toBe(100);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});

describe('listKeys', () => {
  it('gives in pages of any size what one page gives', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 5 });
    const prefix = fc.constantFrom('', 'a', 'a/', '/');
    const delimiter = fc.constantFrom('', '/', 'b', 'a/');
    fc.assert(
      fc.property(
        fc.uniqueArray(key),
        prefix,
        delimiter,
        fc.integer({ min: 1, max: 4 }),
        (keys, start, end, size) => {
          const index = new KeyIndex<boolean>();
          index.load(keys.map((name) => [name, true]));
          const options = { prefix: start, delimiter: end };
          const whole = listKeys(index, { ...options, after: '', maxEntries: 1000 });
          const inPages = { keys: new Array<string>(), commonPrefixes: new Array<string>() };
          for (let after: string | undefined = ''; after !== undefined;) {
            const page = listKeys(index, { ...options, after, maxEntries: size });
            inPages.keys.push(...page.keys);
            inPages.commonPrefixes.push(...page.commonPrefixes);
            after = page.next;
          }
          expect(inPages).toEqual({ keys: whole.keys, commonPrefixes: whole.commonPrefixes });
          const shown = [...whole.keys, ...whole.commonPrefixes];
          const expected = keys
            .filter((name) => name.startsWith(start))
            .map((name) => {
              const cut = end === '' ? -1 : name.indexOf(end, start.length);
              return cut === -1 ? name : name.slice(0, cut + end.length);
            });
          expect(new Set(shown)).toEqual(new Set(expected));
        },
      ),
    );
  });
});

it('sliceSegments gives the bytes of the concatenation', () => {
  const segments = [
    { file: 'a', sizeBytes: 3 },
    { file: 'b', offsetBytes: 10, sizeBytes: 4 },
    { file: 'c', sizeBytes: 5 },
  ];
  expect(sliceSegments(segments, 2, 6)).toEqual([
    { file: 'a', offsetBytes: 2, sizeBytes: 1 },
    { file: 'b', offsetBytes: 10, sizeBytes: 4 },
    { file: 'c', offsetBytes: 0, sizeBytes: 1 },
  ]);
  expect(sliceSegments(segments, 4, 1)).toEqual([{ file: 'b', offsetBytes: 11, sizeBytes: 1 }]);
  expect(sliceSegments(segments, 0, 0)).toEqual([]);
});
