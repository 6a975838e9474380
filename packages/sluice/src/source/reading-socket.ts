import { Socket } from 'node:net';

/** PostgreSQL sends 8 kB at a time; what has gathered in the kernel meanwhile comes with one read. */
const READ_BYTES = 256 * 1024;
/** After a smaller read the kernel is given a moment to gather more: a read costs as much as taking 64 kB of rows apart. */
const WORTHWHILE_BYTES = READ_BYTES / 2;
const MOMENT_MS = 1;

/** Gives whether more may be read now. A chunk is valid until it returns. */
export type ChunkReader = (chunk: Buffer) => boolean;

/**
 * A TCP or Unix socket that can be read by somebody else than those that listen to `data`, with large reads into one buffer
 * again and again: a buffer for each 8 kB, as Node.js makes it, and waking up for it, cost more than what is done with the
 * rows. When TLS is put on it, it is as any other.
 * https://nodejs.org/docs/latest-v20.x/api/net.html#socketconnectoptions-connectlistener (onread)
 */
export class ReadingSocket extends Socket {
  #reader: ChunkReader | undefined;
  #moment: NodeJS.Timeout | undefined;

  constructor() {
    // Node.js takes it here as in connect(), which pg calls.
    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (bytes: number, buffer: Uint8Array): boolean =>
        this.#take(Buffer.from(buffer.buffer, buffer.byteOffset, bytes)),
    };
    const options: ConstructorParameters<typeof Socket>[0] & { onread: typeof onread } = { onread };
    super(options);
  }

  /** From now on this reader is given what comes; without one, those that listen to `data` are. */
  readBy(reader: ChunkReader | undefined): void {
    this.#reader = reader;
    this.#endMoment();
  }

  /** When the reader has given false: it takes more. */
  readOn(): void {
    if (this.#moment === undefined && this.isPaused()) this.resume();
  }

  #take(chunk: Buffer): boolean {
    const reader = this.#reader;
    if (reader === undefined) {
      this.emit('data', Buffer.from(chunk));
      return !this.isPaused();
    }
    const wantsMore = reader(chunk);
    // The chunk may have been the last that is the reader's.
    if (this.#reader === undefined) return !this.isPaused();
    if (!wantsMore) this.pause();
    else if (chunk.byteLength < WORTHWHILE_BYTES && this.#isTcp) this.#waitAMoment();
    return !this.isPaused();
  }

  /** The buffer of a Unix socket is full before a moment is over, and PostgreSQL would wait. */
  get #isTcp(): boolean {
    return this.remoteAddress !== undefined;
  }

  #waitAMoment(): void {
    this.pause();
    this.#moment = setTimeout(() => {
      this.#moment = undefined;
      this.resume();
    }, MOMENT_MS);
  }

  #endMoment(): void {
    clearTimeout(this.#moment);
    this.#moment = undefined;
  }
}
