import * as fc from 'fast-check';
import type { RowFormat } from '../../src/exporter/row-format.ts';
import { type CopyStream, copyStream, type Field } from './copy-streams.ts';

/** Characters that mean something to COPY, likely enough to meet each other. */
const ASCII = ['"', '"', '\\', "'", '|', '\n', '\r', '\t', ',', '0', '5', 'x', ' '].map((text) =>
  Buffer.from(text),
);

/** Characters of several bytes by encoding; trailing bytes look like quotes, escapes, digits. */
const LONG_CHARACTERS: Record<string, readonly Buffer[]> = {
  UTF8: [Buffer.from('ü'), Buffer.from('漢'), Buffer.from('😀')],
  SJIS: [Buffer.from([0x83, 0x5c]), Buffer.from([0xb1]), Buffer.from([0x81, 0x7c])],
  BIG5: [Buffer.from([0xa5, 0x5c]), Buffer.from([0xa4, 0x7c])],
  GBK: [Buffer.from([0x81, 0x5c]), Buffer.from([0x81, 0x7c])],
  UHC: [Buffer.from([0x81, 0x41]), Buffer.from([0xb0, 0x5c])],
  JOHAB: [Buffer.from([0x88, 0x5c]), Buffer.from([0x8f, 0x5c, 0x7c])],
  GB18030: [
    Buffer.from([0x81, 0x5c]),
    Buffer.from([0x81, 0x30, 0x81, 0x30]),
    Buffer.from([0x84, 0x31, 0xa4, 0x37]),
  ],
  SHIFT_JIS_2004: [Buffer.from([0x87, 0x5c]), Buffer.from([0xdf])],
};

const ENCODINGS = Object.keys(LONG_CHARACTERS);

const arbitraryFormat: fc.Arbitrary<RowFormat> = fc.oneof(
  fc.record({ format: fc.constant('text' as const), header: fc.boolean() }),
  fc.record({
    format: fc.constant('csv' as const),
    header: fc.boolean(),
    quote: fc.constantFrom('"', "'", '|'),
    escape: fc.constantFrom('"', '\\', '|'),
    encoding: fc.constantFrom(...ENCODINGS),
  }),
  fc.constant({ format: 'binary' as const }),
);

export interface ArbitraryStream extends CopyStream {
  rowFormat: RowFormat;
}

/** A format and a COPY stream in it, of no rows up to a few dozen. */
export const arbitraryStream: fc.Arbitrary<ArbitraryStream> = arbitraryFormat.chain((rowFormat) => {
  const encoding = rowFormat.format === 'csv' ? rowFormat.encoding : 'UTF8';
  const character = fc.constantFrom(...ASCII, ...(LONG_CHARACTERS[encoding] ?? []));
  const field: fc.Arbitrary<Field> = fc.option(fc.array(character, { maxLength: 12 }), { nil: null });
  // A row of no columns has no header either; in binary it is only a count.
  const rows = fc.array(fc.array(field, { maxLength: 4 }), { maxLength: 30 });
  return rows.map((content) => ({ rowFormat, ...copyStream(rowFormat, content) }));
});

/** Chunk sizes, to be used in turn. */
export const arbitraryChunkSizes: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 300 })),
  { minLength: 1, maxLength: 5 },
);
