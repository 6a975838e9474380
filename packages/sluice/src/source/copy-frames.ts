import { SluiceError } from '../errors.ts';
import type { PayloadBuffer } from './payload-buffer.ts';

/** A byte that names the kind of message, and an integer: how long it is, itself included. */
const HEADER_BYTES = 5;
const LENGTH_BYTES = 4;

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
const COPY_DATA = 'd'.charCodeAt(0);
const COPY_DONE = 'c'.charCodeAt(0);
const COPY_OUT_RESPONSE = 'H'.charCodeAt(0);
const COPY_IN_RESPONSE = 'G'.charCodeAt(0);
const COMMAND_COMPLETE = 'C'.charCodeAt(0);
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
/** ErrorResponse, NoticeResponse, NotificationResponse and ParameterStatus may come at any time. */
const ANY_TIME = new Set(['E', 'N', 'A', 'S'].map((kind) => kind.charCodeAt(0)));
/** These are read as a whole; only a CopyOutResponse has more than a byte or none, two bytes for each column. */
const READ_AS_A_WHOLE = new Set([COPY_DONE, COPY_OUT_RESPONSE, READY_FOR_QUERY]);
const LONGEST_READ_AS_A_WHOLE = 16 * 1024;

/** Signature, flags and the length of an extension come with the first row, or with the trailer of a COPY of none. */
const BINARY_HEADER_BYTES = 19;
const TRAILER_BYTES = 2;

/** Is told what the server says beside the rows, in its order. */
export interface FrameListener {
  /** Bytes of messages that are the driver's to read; a message may come in pieces. */
  pass(bytes: Buffer): void;
  /** ReadyForQuery, and what follows it: the driver's again. `isComplete`: nothing but a whole COPY came before. */
  ready(bytes: Buffer, answer: { isComplete: boolean }): void;
  /** A message that has no place in the answer to a COPY ... TO STDOUT. `isCopyIn`: the server waits for rows of ours. */
  unexpected(kind: string, options: { isCopyIn: boolean }): void;
}

export interface FrameOptions {
  /** The first frame is a header line, no row. @default false */
  hasHeaderLine?: boolean;
  /** One SET was sent before the COPY, and one behind it. @default false */
  isSetAround?: boolean;
}

/**
 * Takes the answer to one COPY ... TO STDOUT apart: the payloads of its CopyData frames are moved together in the buffer
 * that was read into, one frame after another without an object for any. A frame is a row
 * (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY), but for the header line and the trailer of
 * the binary format, which are frames of their own; the binary header comes with the first frame.
 */
export class CopyFrames {
  readonly #listener: FrameListener;
  readonly #hasHeaderLine: boolean;
  /** Answers to come of the statements before the COPY, and behind it. */
  #answersBefore: number;
  #answersBehind: number;
  #stage: 'asked' | 'copying' | 'copied' | 'complete' | 'over' = 'asked';
  #isBinary = false;
  #frames = 0;
  #rows = 0;
  /** Where the last read has ended in the middle of what is read as a whole. */
  #held: Buffer | undefined;
  /** Bytes to come of the frame that the last read has ended in. */
  #dataLeft = 0;
  /** The same of another message, that is passed on or dropped. */
  #messageLeft = 0;
  #isMessagePassed = false;

  constructor(listener: FrameListener, { hasHeaderLine = false, isSetAround = false }: FrameOptions = {}) {
    this.#listener = listener;
    this.#hasHeaderLine = hasHeaderLine;
    this.#answersBefore = isSetAround ? 1 : 0;
    this.#answersBehind = isSetAround ? 1 : 0;
  }

  /** How many there were so far. */
  get rows(): number {
    return this.#rows;
  }

  /** See RowScanner: in the binary format a row's first two bytes tell it from the trailer. Known before the first row. */
  get lookaheadBytes(): number {
    return this.#isBinary ? TRAILER_BYTES : 0;
  }

  /**
   * Reads what the socket gave, and adds what of it is rows to the buffer.
   *
   * @throws SluiceError `protocol_violation`: that is no message, so nobody knows where the next one begins
   */
  take(chunk: Uint8Array, into: PayloadBuffer): void {
    const held = this.#held;
    const heldBytes = held?.byteLength ?? 0;
    this.#held = undefined;
    into.reserve(heldBytes + chunk.byteLength);
    const from = into.lengthBytes;
    if (held !== undefined) into.bytes.set(held, from);
    into.bytes.set(chunk, from + heldBytes);
    this.#takeApart(into, from + heldBytes + chunk.byteLength);
  }

  #takeApart(into: PayloadBuffer, end: number): void {
    const { bytes } = into;
    let read = this.#goOn(into, end);
    while (end - read >= HEADER_BYTES) {
      const isData = bytes[read] === COPY_DATA && this.#stage === 'copying';
      const next = isData ? this.#takeFrames(into, read, end) : this.#takeMessage(bytes, read, end);
      if (next === read) break;
      read = next;
    }
    if (read < end) this.#held = Buffer.from(bytes.subarray(read, end));
  }

  /** Goes on with what the last read has ended in; gives where the next message begins. */
  #goOn(into: PayloadBuffer, end: number): number {
    const from = into.lengthBytes;
    if (this.#dataLeft > 0) {
      const taken = Math.min(this.#dataLeft, end - from);
      this.#dataLeft -= taken;
      into.lengthBytes = from + taken;
      if (this.#dataLeft === 0) this.#noteEnd(into);
      return from + taken;
    }
    return this.#messageLeft > 0 ? this.#takeMessageBytes(into.bytes, from, end) : from;
  }

  /** Takes frames, as many as there are; gives where it has stopped. The hot path: all it does is done for each row. */
  #takeFrames(into: PayloadBuffer, from: number, end: number): number {
    const { bytes } = into;
    const isBinary = this.#isBinary;
    let read = from;
    while (end - read >= HEADER_BYTES && bytes[read] === COPY_DATA) {
      const length = payloadLength(bytes, read);
      if (length < 0) throw noMessage(COPY_DATA);
      const payload = read + HEADER_BYTES;
      const available = end - payload;
      // What the first bytes of a binary frame are must be known.
      if (isBinary && available < length && available < BINARY_HEADER_BYTES + TRAILER_BYTES) return read;
      const write = into.lengthBytes;
      const taken = length <= available ? length : available;
      if (isBinary) this.#noteBinaryFrame(into, payload, length);
      into.move(write, payload, taken);
      into.lengthBytes = write + taken;
      read = payload + taken;
      this.#dataLeft = length - taken;
      if (taken < length) return read;
      if (!isBinary) this.#noteEnd(into);
    }
    return read;
  }

  /** In text and CSV, where a row ends another may start; so a scanner of lines has it. */
  #noteEnd(into: PayloadBuffer): void {
    if (this.#isBinary) return;
    if (this.#frames++ === 0 && this.#hasHeaderLine) return;
    this.#rows += 1;
    into.addRowStart(into.lengthBytes);
  }

  #noteBinaryFrame(into: PayloadBuffer, payload: number, length: number): void {
    const headerBytes = this.#frames++ === 0 ? BINARY_HEADER_BYTES : 0;
    const isTrailer =
      length === headerBytes + TRAILER_BYTES && into.bytes.readInt16BE(payload + headerBytes) === -1;
    if (isTrailer) return;
    if (this.#rows++ > 0) into.addRowStart(into.lengthBytes);
  }

  /** Takes one message that is no row; gives where it ends, or its beginning when more of it must be there. */
  #takeMessage(bytes: Buffer, from: number, end: number): number {
    const kind = bytes[from] ?? 0;
    const length = payloadLength(bytes, from);
    const isWhole = READ_AS_A_WHOLE.has(kind);
    if (length < 0 || !isLetterOrDigit(kind) || (isWhole && length > LONGEST_READ_AS_A_WHOLE))
      throw noMessage(kind);
    const payload = from + HEADER_BYTES;
    if (isWhole && end - payload < length) return from;
    if (kind === READY_FOR_QUERY) {
      const isComplete = this.#stage === 'complete' && this.#answersBehind === 0;
      this.#stage = 'over';
      this.#listener.ready(Buffer.from(bytes.subarray(from, end)), { isComplete });
      return end;
    }
    this.#isMessagePassed = this.#isForDriver(kind, bytes[payload] ?? 0);
    this.#messageLeft = HEADER_BYTES + length;
    return this.#takeMessageBytes(bytes, from, end);
  }

  /** Whether a message is the driver's to read; the others are dropped. A COPY goes from one stage to the next, or fails. */
  #isForDriver(kind: number, firstByte: number): boolean {
    if (ANY_TIME.has(kind)) return true;
    if (kind === COMMAND_COMPLETE && this.#isAnswerOfSet()) return true;
    if (kind === COPY_OUT_RESPONSE && this.#stage === 'asked' && this.#answersBefore === 0) {
      this.#stage = 'copying';
      this.#isBinary = firstByte === 1;
    } else if (kind === COPY_DONE && this.#stage === 'copying') {
      this.#stage = 'copied';
    } else if (kind === COMMAND_COMPLETE && this.#stage === 'copied') {
      this.#stage = 'complete';
      return true;
    } else {
      this.#stage = 'over';
      this.#listener.unexpected(String.fromCharCode(kind), { isCopyIn: kind === COPY_IN_RESPONSE });
    }
    return false;
  }

  #isAnswerOfSet(): boolean {
    if (this.#stage === 'asked') return this.#answersBefore-- > 0;
    return this.#stage === 'complete' && this.#answersBehind-- > 0;
  }

  #takeMessageBytes(bytes: Buffer, from: number, end: number): number {
    const taken = Math.min(this.#messageLeft, end - from);
    this.#messageLeft -= taken;
    // A copy: the driver keeps the piece of a message, and the buffer is written to again.
    if (this.#isMessagePassed) this.#listener.pass(Buffer.from(bytes.subarray(from, from + taken)));
    return from + taken;
  }
}

/** Negative where there can be none. */
function payloadLength(bytes: Buffer, at: number): number {
  const length =
    ((bytes[at + 1] ?? 0) << 24) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 8) |
    (bytes[at + 4] ?? 0);
  return length - LENGTH_BYTES;
}

function isLetterOrDigit(kind: number): boolean {
  return /[A-Za-z0-9]/.test(String.fromCharCode(kind));
}

function noMessage(kind: number): SluiceError {
  return new SluiceError('protocol_violation', 'PostgreSQL sent what is no message of its protocol', {
    detail: `A message of kind 0x${kind.toString(16).padStart(2, '0')} or its length makes no sense.`,
    hint: 'Is it PostgreSQL, or a proxy before it, that was connected to?',
  });
}
