import { SluiceError } from '../../errors.ts';

/**
 * The messages of a client, as far as dblink (libpq) sends them.
 * Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export type FrontendMessage =
  | { type: 'encryption-request' }
  | { type: 'cancel-request' }
  | { type: 'startup'; minorVersion: number; parameters: ReadonlyMap<string, string> }
  | { type: 'query'; text: Buffer }
  | { type: 'terminate' }
  | { type: 'other'; tag: string };

const CANCEL_REQUEST = 80877102;
const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const PROTOCOL_MAJOR = 3;

/** PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH in src/include/libpq/pqcomm.h). */
const MAX_STARTUP_BYTES = 10_000;

/** Splits the bytes of one connection into messages, whatever the chunks in which they arrive. */
export class FrontendReader {
  readonly #maxMessageBytes: number;
  #pending: Buffer = Buffer.alloc(0);
  /** Chunks that arrived after #pending, and do not complete the next message yet. */
  #arrived: Buffer[] = [];
  #arrivedBytes = 0;
  #neededBytes = 0;
  #started = false;

  /** @param maxMessageBytes a longer message is an error, before it is buffered */
  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** @throws SluiceError `protocol_violation`: the connection must then be closed */
  *read(chunk: Buffer): Generator<FrontendMessage> {
    this.#arrived.push(chunk);
    this.#arrivedBytes += chunk.length;
    // The chunks are joined only when the next message is complete, so that many small chunks cost no repeated copying.
    if (this.#pending.length + this.#arrivedBytes < this.#neededBytes) return;
    this.#pending = Buffer.concat([this.#pending, ...this.#arrived]);
    this.#arrived = [];
    this.#arrivedBytes = 0;
    for (;;) {
      this.#neededBytes = 0;
      const message = this.#started ? this.#regularMessage() : this.#firstMessage();
      if (message === undefined) return;
      yield message;
    }
  }

  /** Before the session starts, messages have no type byte: length, code, body. */
  #firstMessage(): FrontendMessage | undefined {
    const body = this.#take(0, MAX_STARTUP_BYTES);
    if (body === undefined) return undefined;
    if (body.length < 4) throw violation('a startup packet is too short');
    const code = body.readInt32BE(0);
    if (code === SSL_REQUEST || code === GSSENC_REQUEST) return { type: 'encryption-request' };
    if (code === CANCEL_REQUEST) return { type: 'cancel-request' };
    if (code >>> 16 !== PROTOCOL_MAJOR) throw violation('only version 3 of the protocol is spoken here');
    this.#started = true;
    return { type: 'startup', minorVersion: code & 0xffff, parameters: readParameters(body.subarray(4)) };
  }

  #regularMessage(): FrontendMessage | undefined {
    const tag = this.#pending[0];
    if (tag === undefined) return undefined;
    const body = this.#take(1, this.#maxMessageBytes);
    if (body === undefined) return undefined;
    switch (String.fromCharCode(tag)) {
      case 'Q':
        return { type: 'query', text: body.subarray(0, Math.max(0, body.length - 1)) };
      case 'X':
        return { type: 'terminate' };
      default:
        return { type: 'other', tag: String.fromCharCode(tag) };
    }
  }

  /** Takes the message whose length word is at `offset`. Undefined while the message is not complete. */
  #take(offset: number, maxBytes: number): Buffer | undefined {
    this.#neededBytes = offset + 4;
    if (this.#pending.length < this.#neededBytes) return undefined;
    const length = this.#pending.readInt32BE(offset);
    if (length < 4 || length > maxBytes) throw violation(`a message has a length of ${length} bytes`);
    const end = offset + length;
    this.#neededBytes = end;
    if (this.#pending.length < end) return undefined;
    const body = this.#pending.subarray(offset + 4, end);
    this.#pending = this.#pending.subarray(end);
    return body;
  }
}

function readParameters(body: Buffer): Map<string, string> {
  const parameters = new Map<string, string>();
  const words = body.toString('utf8').split('\0');
  for (let i = 0; i + 1 < words.length && words[i] !== ''; i += 2) {
    parameters.set(words[i] ?? '', words[i + 1] ?? '');
  }
  return parameters;
}

function violation(detail: string): SluiceError {
  return new SluiceError('protocol_violation', 'a client of the agent broke the PostgreSQL protocol', {
    detail,
  });
}
