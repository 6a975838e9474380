import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryChunkSizes, arbitraryStream } from '../../test/exporter/arbitrary-rows.ts';
import { chunksOf } from '../../test/exporter/copy-streams.ts';
import type { RowFormat } from './row-format.ts';
import { createRowScanner } from './create-row-scanner.ts';

const CSV: RowFormat = { format: 'csv', header: false, quote: '"', escape: '"', encoding: 'UTF8' };

/** Where the rows begin, found byte by byte. */
function rowStartsOf(rowFormat: RowFormat, bytes: Uint8Array): number[] {
  const scanner = createRowScanner(rowFormat);
  const starts: number[] = [];
  for (const byte of bytes) {
    const before = scanner.lastRowStart;
    scanner.read(Uint8Array.of(byte));
    if (scanner.lastRowStart !== before) starts.push(scanner.lastRowStart);
  }
  return starts;
}

describe('createRowScanner', () => {
  it('knows the last row start behind each chunk, whatever the format and the chunks', () => {
    fc.assert(
      fc.property(arbitraryStream, arbitraryChunkSizes, ({ rowFormat, bytes, rowStarts }, sizes) => {
        const scanner = createRowScanner(rowFormat);
        const known: number[] = [];
        const expected: number[] = [];
        let offset = 0;
        for (const chunk of chunksOf(bytes, sizes)) {
          scanner.read(chunk);
          offset += chunk.byteLength;
          // After the last newline no row follows, but a scanner of lines cannot know that.
          if (offset >= bytes.byteLength) break;
          known.push(scanner.lastRowStart);
          expected.push(rowStarts.filter((start) => start + scanner.lookaheadBytes <= offset).at(-1) ?? 0);
        }
        expect(known).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('stops where the next row start gets known, whatever the format and the chunks', () => {
    fc.assert(
      fc.property(arbitraryStream, arbitraryChunkSizes, ({ rowFormat, bytes, rowStarts }, sizes) => {
        const scanner = createRowScanner(rowFormat);
        const found: number[] = [];
        let offset = 0;
        for (const chunk of chunksOf(bytes, sizes)) {
          let rest = chunk;
          while (rest.byteLength > 0) {
            const before = scanner.lastRowStart;
            const taken = scanner.readToNextRow(rest);
            offset += taken;
            rest = rest.subarray(taken);
            if (scanner.lastRowStart === before) continue;
            found.push(scanner.lastRowStart);
            expect(offset).toBe(scanner.lastRowStart + scanner.lookaheadBytes);
          }
        }
        expect(found.filter((start) => start < bytes.byteLength)).toEqual(rowStarts);
      }),
      { numRuns: 1000 },
    );
  });

  it('takes a newline inside quotes for a part of the row', () => {
    expect(rowStartsOf(CSV, Buffer.from('1,"a\nb"\n2,"c""\n"\n3,d\n'))).toEqual([8, 17, 21]);
  });

  it('takes an escape character of its own into account inside quotes only', () => {
    const bytes = Buffer.from(String.raw`a\
"b\"
c"
`);
    expect(rowStartsOf({ ...CSV, escape: '\\' }, bytes)).toEqual([3, 11]);
  });

  it('steps over a trailing byte that looks like the escape character', () => {
    // 0x83 0x5C is a katakana in Shift JIS, whose second byte is a backslash in ASCII.
    const bytes = Buffer.concat([Buffer.from('"'), Buffer.from([0x83, 0x5c]), Buffer.from('"\nx\n')]);
    expect(rowStartsOf({ ...CSV, escape: '\\', encoding: 'SJIS' }, bytes)).toEqual([5, 7]);
    expect(rowStartsOf({ ...CSV, escape: '\\', encoding: 'win-932' }, bytes)).toEqual([5, 7]);
    expect(rowStartsOf({ ...CSV, escape: '\\', encoding: 'UTF8' }, bytes)).toEqual([]);
  });

  it('does not count a header as a row', () => {
    expect(rowStartsOf({ format: 'text', header: true }, Buffer.from('id\n1\n2\n'))).toEqual([5, 7]);
    expect(rowStartsOf({ ...CSV, header: true }, Buffer.from('"i\nd"\n1\n2\n'))).toEqual([8, 10]);
  });

  it('does not take the binary trailer for a row', () => {
    const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\x03ext', 'latin1');
    const tuple = Buffer.from([0, 1, 0, 0, 0, 1, 0x2a]);
    const bytes = Buffer.concat([header, tuple, tuple, Buffer.from([0xff, 0xff])]);
    expect(rowStartsOf({ format: 'binary' }, bytes)).toEqual([header.length + tuple.length]);
  });
});
