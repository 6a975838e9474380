import * as fc from 'fast-check';
import type { RowFormat } from '../../src/exporter/row-format.ts';
import { type CopyStream, copyStream, type Field } from './copy-streams.ts';

/** Characters with a meaning for COPY, few enough that they often occur next to each other. */
const ASCII = ['"', '"', '\\', "'", '|', '\n', '\r', '\t', ',', '0', '5', 'x', ' '].map((text) =>
  Buffer.from(text),
);

/** Multibyte characters by encoding; their trailing bytes look like quotes, escapes or digits. */
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

/** A format, and a COPY stream in it with up to a few dozen rows, or none. */
export const arbitraryStream: fc.Arbitrary<ArbitraryStream> = arbitraryFormat.chain((rowFormat) => {
  const encoding = rowFormat.format === 'csv' ? rowFormat.encoding : 'UTF8';
  const character = fc.constantFrom(...ASCII, ...(LONG_CHARACTERS[encoding] ?? []));
  const field: fc.Arbitrary<Field> = fc.option(fc.array(character, { maxLength: 12 }), { nil: null });
  // Without columns there is no header either. In the binary format such a row is only a field count.
  const rows = fc.array(fc.array(field, { maxLength: 4 }), { maxLength: 30 });
  return rows.map((content) => ({ rowFormat, ...copyStream(rowFormat, content) }));
});

/** Chunk sizes, to be used in turn. */
export const arbitraryChunkSizes: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 300 })),
  { minLength: 1, maxLength: 5 },
);
