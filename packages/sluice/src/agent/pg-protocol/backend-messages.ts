/**
 * What the agent answers, each message as it goes on the wire.
 * Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

const TEXT_OID = 25;

function message(tag: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([head(tag, body.length), body]);
}

function head(tag: string, bodyLength: number): Buffer {
  const buffer = Buffer.alloc(5);
  buffer.write(tag, 'latin1');
  buffer.writeInt32BE(bodyLength + 4, 1);
  return buffer;
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

/** A zero-terminated string. NUL characters inside are removed, as each would end the string. */
function cstring(text: string): Buffer {
  return Buffer.from(`${text.replaceAll('\0', '')}\0`);
}

/** The answer N (no) to a request for SSL or GSS encryption. */
export const encryptionRefused: Buffer = Buffer.from('N');

export const authenticationOk: Buffer = message('R', int32(0));

export const readyForQuery: Buffer = message('Z', Buffer.from('I'));

export const emptyQueryResponse: Buffer = message('I');

export function parameterStatus(name: string, value: string): Buffer {
  return message('S', cstring(name), cstring(value));
}

/** Tells a client that asked for a newer minor version of the protocol that we speak 3.0. */
export function negotiateProtocolVersion(): Buffer {
  return message('v', int32(3 << 16), int32(0));
}

export function commandComplete(tag: string): Buffer {
  return message('C', cstring(tag));
}

/** A result of one row with one text column. In several buffers, so that a long value is not copied. */
export function oneTextValue(column: string, value: string | Uint8Array): Buffer[] {
  const bytes =
    typeof value === 'string'
      ? Buffer.from(value)
      : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return [
    message(
      'T',
      int16(1),
      cstring(column),
      int32(0),
      int16(0),
      int32(TEXT_OID),
      int16(-1),
      int32(-1),
      int16(0),
    ),
    Buffer.concat([head('D', 6 + bytes.length), int16(1), int32(bytes.length)]),
    bytes,
    commandComplete('SELECT 1'),
  ];
}

export interface ErrorFields {
  severity: 'ERROR' | 'FATAL';
  sqlState: string;
  message: string;
  detail?: string | undefined;
  hint?: string | undefined;
}

export function errorResponse(fields: ErrorFields): Buffer {
  const field = (code: string, value: string | undefined) =>
    value === undefined ? [] : [Buffer.from(code), cstring(value)];
  return message(
    'E',
    ...field('S', fields.severity),
    ...field('V', fields.severity),
    ...field('C', fields.sqlState),
    ...field('M', fields.message),
    ...field('D', fields.detail),
    ...field('H', fields.hint),
    Buffer.alloc(1),
  );
}
