import { describe, expect, it } from 'vitest';
import { copyLayout } from '../copy-options/copy-layout.ts';
import type { CopyOption } from '../copy-options/parse-copy-options.ts';
import { pieceCopies, type HeaderIn } from './piece-copy.ts';

const CSV: CopyOption = { name: 'format', value: 'csv' };
const HEADER: CopyOption = { name: 'header', value: 'true' };

function copies(options: readonly CopyOption[], headerIn: HeaderIn | undefined) {
  const copy = pieceCopies({ options, layout: copyLayout(options, 'UTF8') }, headerIn);
  return [0, 1, 7].map((index) => {
    const { sql, hasHeaderLine } = copy('SELECT 1', index);
    return [/header/.test(sql), hasHeaderLine];
  });
}

describe('the header of pieces', () => {
  it('is in each, and of the first only where that is asked for', () => {
    const each = [
      [true, true],
      [true, true],
      [true, true],
    ];
    expect(copies([CSV, HEADER], undefined)).toEqual(each);
    expect(copies([HEADER, CSV], 'each')).toEqual(each);
    expect(copies([CSV, { name: 'header', value: null }], 'first')).toEqual([
      [true, true],
      [false, false],
      [false, false],
    ]);
  });

  it('leaves the other options as they are', () => {
    const options = [CSV, HEADER, { name: 'delimiter', value: '|' }];
    const copy = pieceCopies({ options, layout: copyLayout(options, 'UTF8') }, 'first');
    expect(copy('SELECT 1', 3).sql).toBe(
      `COPY (SELECT 1\n) TO STDOUT WITH ("format" 'csv', "delimiter" '|')`,
    );
  });

  it.each<[readonly CopyOption[]]>([
    [[CSV]],
    [[CSV, { name: 'header', value: 'off' }]],
    [[{ name: 'format', value: 'binary' }]],
    [[]],
  ])('cannot be somewhere when there is none: %j', (options) => {
    for (const headerIn of ['each', 'first'] as const) {
      expect(() => copies(options, headerIn)).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }) as Error,
      );
    }
    expect(copies(options, undefined)[0]?.[1]).toBe(false);
  });
});
