import { strict as assert } from 'node:assert';

/** How COPY's bytes are cut into rows. */
export type StoredLayout =
  | { format: 'text'; header: boolean }
  | { format: 'csv'; header: boolean; quote: string; escape: string }
  | { format: 'binary' };

/** The signature, no flags, and no extension. https://www.postgresql.org/docs/current/sql-copy.html, "File Formats" */
const BINARY_HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** The rows of one whole output of COPY, byte by byte. Together with the header and the trailer they are all of it. */
export function rowsIn(bytes: Buffer, layout: StoredLayout): string[] {
  if (layout.format === 'binary') return binaryRows(bytes);
  const text = bytes.toString('latin1');
  const lines =
    layout.format === 'csv' ? csvLines(text, layout.quote, layout.escape) : (text.match(/[^\n]*\n/g) ?? []);
  assert.equal(lines.join(''), text, 'the last line does not end');
  if (layout.header) assert.notEqual(lines.shift(), undefined, 'there is no header line');
  return lines;
}

/** In CSV, a newline between quotes is of a value. */
function csvLines(text: string, quote: string, escape: string): string[] {
  const lines: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isQuoted && escape !== quote && character === escape && [quote, escape].includes(text[at + 1] ?? ''))
      at += 1;
    else if (character === quote) isQuoted = !isQuoted;
    else if (character === '\n' && !isQuoted) {
      lines.push(text.slice(start, at + 1));
      start = at + 1;
    }
  }
  return lines;
}

function binaryRows(bytes: Buffer): string[] {
  assert.ok(bytes.subarray(0, BINARY_HEADER.length).equals(BINARY_HEADER), 'there is no binary header');
  const rows: string[] = [];
  let at = BINARY_HEADER.length;
  for (;;) {
    const start = at;
    const fields = bytes.readInt16BE(at);
    at += 2;
    if (fields === -1) break;
    for (let field = 0; field < fields; field += 1) at += 4 + Math.max(0, bytes.readInt32BE(at));
    assert.ok(at <= bytes.length, 'a row does not end');
    rows.push(bytes.toString('latin1', start, at));
  }
  assert.equal(at, bytes.length, 'there is something behind the binary trailer');
  return rows;
}
