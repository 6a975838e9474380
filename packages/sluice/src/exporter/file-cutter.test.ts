import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryChunkSizes, arbitraryStream } from '../../test/exporter/arbitrary-rows.ts';
import { chunksOf } from '../../test/exporter/copy-streams.ts';
import { FileCutter } from './file-cutter.ts';
import { createRowScanner } from './create-row-scanner.ts';
import type { RowScanner } from './row-scanner.ts';

interface Limits {
  limitBytes: number;
  windowBytes: number;
}

/** Executes the steps, and checks that no byte which may have been sent is moved to the next file. */
function cut(scanner: RowScanner, chunks: Iterable<Uint8Array>, limits: Limits): Buffer[] {
  const cutter = new FileCutter(scanner, limits);
  const files: Buffer[] = [Buffer.alloc(0)];
  let sendable = 0;
  for (const chunk of chunks) {
    for (const step of cutter.push(chunk)) {
      const current = files.at(-1) ?? Buffer.alloc(0);
      if (step.do === 'append') {
        files[files.length - 1] = Buffer.concat([current, step.bytes]);
        assert.ok(cutter.sendableBytes >= sendable, 'what may be sent never shrinks');
      } else {
        const end = current.length - step.carryBytes;
        assert.ok(sendable <= end, 'nothing is taken back that may have been sent');
        files[files.length - 1] = current.subarray(0, end);
        files.push(current.subarray(end));
      }
      sendable = cutter.sendableBytes;
      const length = files.at(-1)?.length ?? 0;
      expect(sendable).toBeLessThanOrEqual(length);
      expect(length - sendable).toBeLessThanOrEqual(limits.windowBytes + 2);
    }
  }
  return files;
}

/** The same decisions, with all row starts known beforehand. */
function expectedStarts(
  rowStarts: readonly number[],
  length: number,
  { limitBytes, windowBytes }: Limits,
  slack: number,
): number[] {
  const starts = [0];
  for (;;) {
    const start = starts.at(-1) ?? 0;
    if (length <= start + limitBytes + slack) return starts;
    const below = rowStarts.filter((row) => row > start && row <= start + limitBytes).at(-1);
    const next =
      below !== undefined && below >= start + limitBytes - windowBytes
        ? below
        : rowStarts.find((row) => row > start + limitBytes);
    if (next === undefined) return starts;
    starts.push(next);
  }
}

describe('FileCutter', () => {
  const limits = fc.record({
    limitBytes: fc.integer({ min: 1, max: 200 }),
    windowBytes: fc.integer({ min: 1, max: 250 }),
  });

  it('cuts where the naive way cuts, whatever the format, the chunks and the limits', () => {
    fc.assert(
      fc.property(
        arbitraryStream,
        arbitraryChunkSizes,
        limits,
        ({ rowFormat, bytes, rowStarts }, sizes, theirs) => {
          const scanner = createRowScanner(rowFormat);
          const files = cut(scanner, chunksOf(bytes, sizes), theirs);
          expect(Buffer.concat(files).equals(bytes)).toBe(true);
          let offset = 0;
          const starts = files.map((file) => (offset += file.length) - file.length);
          expect(starts).toEqual(expectedStarts(rowStarts, bytes.length, theirs, scanner.lookaheadBytes));
        },
      ),
      { numRuns: 2000 },
    );
  });

  const text = { format: 'text', header: false } as const;
  const cutText = (
    input: string,
    limitsOfText: Limits,
    rowFormat: Parameters<typeof createRowScanner>[0] = text,
  ) => cut(createRowScanner(rowFormat), [Buffer.from(input)], limitsOfText).map(String);

  it('fills a file up to exactly the limit', () => {
    expect(cutText('12\n45\n78\n', { limitBytes: 6, windowBytes: 100 })).toEqual(['12\n45\n', '78\n']);
    expect(cutText('12\n45\n', { limitBytes: 6, windowBytes: 100 })).toEqual(['12\n45\n']);
  });

  it('gives a row that is longer than the limit a file of its own', () => {
    expect(cutText('1\n23456789\n1\n', { limitBytes: 4, windowBytes: 100 })).toEqual([
      '1\n',
      '23456789\n',
      '1\n',
    ]);
  });

  it('lets a row that is longer than the window go over the limit', () => {
    expect(cutText('1\n23456789\n1\n', { limitBytes: 4, windowBytes: 1 })).toEqual(['1\n23456789\n', '1\n']);
  });

  it('does not make a file of a header alone', () => {
    const header = { format: 'text', header: true } as const;
    expect(cutText('header\n1\n2\n', { limitBytes: 3, windowBytes: 100 }, header)).toEqual([
      'header\n1\n',
      '2\n',
    ]);
  });

  it('does not make a file of the binary trailer alone', () => {
    const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
    const tuple = Buffer.from([0, 1, 0, 0, 0, 1, 0x2a]);
    const bytes = Buffer.concat([signature, tuple, tuple, Buffer.from([0xff, 0xff])]);
    for (const above of [0, 1]) {
      const limitBytes = signature.length + 2 * tuple.length + above;
      const files = cut(createRowScanner({ format: 'binary' }), [bytes], { limitBytes, windowBytes: 100 });
      expect(files.map(({ length }) => length)).toEqual([bytes.length]);
    }
  });
});
