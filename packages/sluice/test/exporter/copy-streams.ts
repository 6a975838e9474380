import type { RowFormat } from '../../src/exporter/row-format.ts';

/** A stream in COPY's format, and the offsets where its rows begin. */
export interface CopyStream {
  bytes: Buffer;
  /** The offsets of all rows but the first: the stream may be cut there. */
  rowStarts: number[];
}

/** A field as bytes in the file's encoding; each element is one character. NULL is null. */
export type Field = readonly Buffer[] | null;

export function copyStream(rowFormat: RowFormat, rows: readonly (readonly Field[])[]): CopyStream {
  const pieces: Buffer[] = [];
  const rowStarts: number[] = [];
  let length = 0;
  const add = (piece: Buffer): void => {
    pieces.push(piece);
    length += piece.byteLength;
  };
  if (rowFormat.format === 'binary') add(Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'));
  for (const [index, row] of rows.entries()) {
    const isHeader = rowFormat.format !== 'binary' && rowFormat.header && index === 0;
    const isFirst = index === 0 || (rowFormat.format !== 'binary' && rowFormat.header && index === 1);
    if (!isHeader && !isFirst) rowStarts.push(length);
    add(writeRow(rowFormat, row));
  }
  if (rowFormat.format === 'binary') add(Buffer.from([0xff, 0xff]));
  return { bytes: Buffer.concat(pieces), rowStarts };
}

function writeRow(rowFormat: RowFormat, row: readonly Field[]): Buffer {
  if (rowFormat.format === 'binary') return writeTuple(row);
  if (rowFormat.format === 'text') return joinFields(row.map(writeTextField), '\t');
  return joinFields(
    row.map((field) => writeCsvField(field, rowFormat)),
    ',',
  );
}

function joinFields(fields: readonly Buffer[], delimiter: string): Buffer {
  return Buffer.concat([
    ...fields.flatMap((field, index) => (index === 0 ? [field] : [Buffer.from(delimiter), field])),
    Buffer.from('\n'),
  ]);
}

function writeTextField(field: Field): Buffer {
  if (field === null) return Buffer.from(String.raw`\N`);
  return Buffer.concat(
    field.map((character) => {
      if (character.equals(Buffer.from('\n'))) return Buffer.from(String.raw`\n`);
      if (character.equals(Buffer.from('\t'))) return Buffer.from(String.raw`\t`);
      if (character.equals(Buffer.from('\\'))) return Buffer.from(String.raw`\\`);
      return character;
    }),
  );
}

/** Like CopyAttributeOutCSV: quoted where necessary, and with each quote and escape character escaped. */
function writeCsvField(field: Field, { quote, escape }: { quote: string; escape: string }): Buffer {
  if (field === null) return Buffer.alloc(0);
  const is = (character: Buffer, text: string): boolean => character.equals(Buffer.from(text));
  const needsQuotes =
    field.length === 0 ||
    field.some((character) => [quote, ',', '\n', '\r'].some((text) => is(character, text)));
  if (!needsQuotes) return Buffer.concat(field);
  return Buffer.concat([
    Buffer.from(quote),
    ...field.flatMap((character) =>
      is(character, quote) || is(character, escape) ? [Buffer.from(escape), character] : [character],
    ),
    Buffer.from(quote),
  ]);
}

function writeTuple(row: readonly Field[]): Buffer {
  const pieces: Buffer[] = [int16(row.length)];
  for (const field of row) {
    const bytes = field === null ? null : Buffer.concat(field);
    pieces.push(int32(bytes === null ? -1 : bytes.byteLength));
    if (bytes !== null) pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/**
 * Cuts bytes into chunks of the given sizes, used in turn. Every chunk is a copy, since a source may reuse its buffer.
 */
export function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let offset = 0;
  for (let index = 0; offset < bytes.byteLength; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    yield Uint8Array.from(bytes.subarray(offset, offset + size));
    offset += size;
  }
}
