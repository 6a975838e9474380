import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  arbitraryChunkSizes,
  arbitraryStream,
  type ArbitraryStream,
} from '../../test/exporter/arbitrary-rows.ts';
import { chunksOf } from '../../test/exporter/copy-streams.ts';
import { COPY_DONE, commandComplete, copyOutResponse, message, READY } from '../../test/source/messages.ts';
import { createRowScanner } from '../exporter/create-row-scanner.ts';
import type { RowFormat } from '../exporter/row-format.ts';
import type { RowScanner } from '../exporter/row-scanner.ts';
import { CopyFrames } from './copy-frames.ts';
import { FrameRows } from './frame-rows.ts';
import { PayloadBuffer } from './payload-buffer.ts';

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TRAILER = Buffer.from([0xff, 0xff]);
/** The frames that PostgreSQL sends for these rows (as test/source/copy-out.test.ts has seen it do). */
function framesOf({ rowFormat, bytes, rowStarts }: ArbitraryStream): Buffer[] {
  const isBinary = rowFormat.format === 'binary';
  const rowsEnd = isBinary ? bytes.byteLength - TRAILER.byteLength : bytes.byteLength;
  const hasRows = rowsEnd > (isBinary ? SIGNATURE.byteLength : 0);
  const cuts = hasHeader(rowFormat) && hasRows ? [lineEnd(bytes, rowFormat), ...rowStarts] : rowStarts;
  const edges = [...new Set([0, ...cuts, ...(hasRows || !isBinary ? [rowsEnd] : []), bytes.byteLength])];
  return edges.slice(1).map((to, index) => bytes.subarray(edges[index], to));
}

function rowCountOf({ rowFormat, bytes, rowStarts }: ArbitraryStream, frameCount: number): number {
  if (rowFormat.format !== 'binary') return frameCount - (rowFormat.header && frameCount > 0 ? 1 : 0);
  return bytes.byteLength === SIGNATURE.byteLength + TRAILER.byteLength ? 0 : rowStarts.length + 1;
}

function hasHeader(rowFormat: RowFormat): boolean {
  return rowFormat.format !== 'binary' && rowFormat.header;
}

/** Where the header line ends: there a scanner without one sees the first row start. */
function lineEnd(bytes: Buffer, rowFormat: RowFormat): number {
  const scanner = createRowScanner({
    ...rowFormat,
    ...(rowFormat.format === 'binary' ? {} : { header: false }),
  });
  scanner.readToNextRow(bytes);
  return scanner.lastRowStart;
}

interface Answer {
  payload: Buffer;
  passed: Buffer;
  rest: Buffer | undefined;
  isComplete: boolean | undefined;
  unexpected: string[];
  rows: number;
  /** What a scanner says after each bit of the payload. */
  starts: [number, number][];
}

/** Reads what a server sends, and the payload with a scanner of frames in bits of some size. */
function readAnswer(chunks: Iterable<Uint8Array>, rowFormat: RowFormat, bitBytes: number): Answer {
  const answer: Answer = {
    payload: Buffer.alloc(0),
    passed: Buffer.alloc(0),
    rest: undefined,
    isComplete: undefined,
    unexpected: [],
    rows: 0,
    starts: [],
  };
  const frames = new CopyFrames(
    {
      pass: (bytes) => {
        answer.passed = Buffer.concat([answer.passed, bytes]);
      },
      ready: (bytes, { isComplete }) => {
        answer.rest = bytes;
        answer.isComplete = isComplete;
      },
      unexpected: (kind) => answer.unexpected.push(kind),
    },
    { hasHeaderLine: hasHeader(rowFormat) },
  );
  const rows = new FrameRows();
  for (const chunk of chunks) {
    const buffer = new PayloadBuffer();
    // The driver reads on.
    if (answer.rest !== undefined) break;
    frames.take(chunk, buffer);
    rows.lookaheadBytes = frames.lookaheadBytes;
    rows.begin(buffer);
    const payload = Buffer.from(buffer.bytes.subarray(0, buffer.lengthBytes));
    readBits(rows, payload, bitBytes, answer.payload.byteLength, answer.starts);
    answer.payload = Buffer.concat([answer.payload, payload]);
  }
  answer.rows = frames.rows;
  return answer;
}

function readBits(
  scanner: RowScanner,
  bytes: Buffer,
  bitBytes: number,
  offset: number,
  starts: [number, number][],
): void {
  for (let at = 0; at < bytes.byteLength;) {
    // In turns: all of a bit, and up to the next row.
    const bit = bytes.subarray(at, at + bitBytes);
    if (starts.length % 2 === 0) {
      scanner.read(bit);
      at += bit.byteLength;
    } else {
      at += scanner.readToNextRow(bit);
    }
    starts.push([offset + at, scanner.lastRowStart]);
  }
}

it('finds the bytes of rows and their starts as a scanner of the bytes does, wherever a read ends', () => {
  fc.assert(
    fc.property(
      arbitraryStream,
      arbitraryChunkSizes,
      fc.integer({ min: 1, max: 40 }),
      (stream, sizes, bitBytes) => {
        const frames = framesOf(stream);
        const notice = message('N', Buffer.from('SNOTICE\0\0'));
        const sent = Buffer.concat([
          notice,
          copyOutResponse({ isBinary: stream.rowFormat.format === 'binary' }),
          ...frames.flatMap((frame, index) => [...(index % 3 === 1 ? [notice] : []), message('d', frame)]),
          COPY_DONE,
          commandComplete('COPY 3'),
          READY,
          notice,
        ]);
        const answer = readAnswer(chunksOf(sent, sizes), stream.rowFormat, bitBytes);
        expect(answer.payload).toEqual(stream.bytes);
        expect(answer.isComplete).toBe(true);
        expect(answer.unexpected).toEqual([]);
        expect(answer.passed.toString()).toContain('COPY 3');
        expect(answer.rows).toBe(rowCountOf(stream, frames.length));

        const scanner = createRowScanner(stream.rowFormat);
        let at = 0;
        for (const [to, start] of answer.starts) {
          scanner.read(stream.bytes.subarray(at, to));
          expect([to, start]).toEqual([to, scanner.lastRowStart]);
          at = to;
        }
      },
    ),
    { numRuns: 500 },
  );
});

const text: RowFormat = { format: 'text', header: false };

it('hands back what follows the end, and passes on what is the driver’s', () => {
  const notice = message('N', Buffer.alloc(300, 'n'));
  const sent = [copyOutResponse(), message('d', Buffer.from('1\n')), COPY_DONE];
  const end = [commandComplete('COPY 1'), READY, notice];
  const answer = readAnswer([Buffer.concat([...sent, notice, ...end])], text, 10);
  expect(answer.passed).toEqual(Buffer.concat([notice, commandComplete('COPY 1')]));
  expect(answer.rest).toEqual(Buffer.concat([READY, notice]));
});

it.each([
  ['nothing', []],
  ['no command complete', [copyOutResponse(), COPY_DONE]],
  ['no end of the copy', [copyOutResponse(), commandComplete('COPY 0')]],
  [
    'rows of a SELECT',
    [message('T', Buffer.alloc(2)), message('D', Buffer.alloc(2)), commandComplete('SELECT 1')],
  ],
  [
    'rows before the copy',
    [message('d', Buffer.from('1\n')), copyOutResponse(), COPY_DONE, commandComplete('COPY 0')],
  ],
  ['two copies', [0, 1].flatMap(() => [copyOutResponse(), COPY_DONE, commandComplete('COPY 0')])],
])('takes an answer for incomplete with %s', (_, sent) => {
  expect(readAnswer([...sent, READY], text, 10).isComplete).toBe(false);
});

it('says when a message is none', () => {
  const tooShort = Buffer.from('d\0\0\0\x03');
  expect(() => readAnswer([copyOutResponse(), tooShort], text, 10)).toThrow('no message of its protocol');
  expect(() => readAnswer([Buffer.from('HTTP/1.1 400')], text, 10)).toThrow('no message of its protocol');
  expect(() => readAnswer([Buffer.from([0, 0, 0, 0, 9])], text, 10)).toThrow('no message of its protocol');
});
