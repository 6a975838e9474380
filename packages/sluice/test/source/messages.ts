/** Messages as PostgreSQL sends them: https://www.postgresql.org/docs/current/protocol-message-formats.html */

export function message(kind: string, payload: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.from(`${kind}0000`);
  header.writeInt32BE(body.byteLength + 4, 1);
  return Buffer.concat([header, body]);
}

export function copyOutResponse({ isBinary = false } = {}): Buffer {
  return message('H', Buffer.from([isBinary ? 1 : 0, 0, 1, 0, 0]));
}

export const COPY_DONE = message('c');
export const READY = message('Z', 'I');

export function commandComplete(tag: string): Buffer {
  return message('C', `${tag}\0`);
}

export function errorResponse(fields: Readonly<Record<string, string>>): Buffer {
  const list = Object.entries({ S: 'ERROR', V: 'ERROR', ...fields }).map(
    ([name, value]) => `${name}${value}\0`,
  );
  return message('E', `${list.join('')}\0`);
}
