import { closeSync, readSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf, SluiceError } from '../../errors.ts';
import type { OpenPipe } from './pipe-pool.ts';
import { steadyNow } from '../../steady-clock.ts';

/** As much as a pipe holds on Linux, so that one read takes it all. */
const CHUNK_BYTES = 64 * 1024;
/**
 * While nobody takes the bytes (S3 is slower than COPY), one page is read this often all the same: a backend that is
 * blocked in write() on a full pipe does not look at a cancel, but one that gets on to its next row does.
 */
const TRICKLE_INTERVAL_MS = 250;
const TRICKLE_BYTES = 4096;
/** At the commit COPY has closed the pipe. If it stays open for longer than this, somebody else holds it. */
const WRITER_CLOSE_TIMEOUT_MS = 10_000;
const WRITER_CLOSE_POLL_MS = 2;

/**
 * The bytes that COPY writes to a named pipe, as an iterable that ends only when the export is committed: the end of
 * the pipe is never taken for success, since a failed query ends it too. To be iterated once; a chunk is valid until
 * the next one is asked for.
 */
export class PipeSource implements AsyncIterable<Uint8Array> {
  readonly #pipe: OpenPipe;
  readonly #socket: Socket;
  readonly #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  /** Bytes of #chunk that were read and not yet taken. */
  #chunkBytes = 0;
  readonly #trickled: Buffer[] = [];
  readonly #trickleTimer: NodeJS.Timeout;
  #isTaken = false;
  #writer: 'not seen' | 'seen' | 'gone' = 'not seen';
  #decision: 'open' | 'committed' | 'aborted' = 'open';
  #abortReason: unknown;
  #ownWriterFd: number | undefined;
  #removed: Promise<void> | undefined;
  #closing: 'no' | 'when written to' | 'closed' = 'no';
  #wake: () => void = () => undefined;
  #bytesRead = 0;

  constructor(pipe: OpenPipe) {
    this.#pipe = pipe;
    this.#ownWriterFd = pipe.writerFd;
    const options: SocketConstructorOpts & { onread: object } = {
      fd: pipe.fd,
      readable: true,
      writable: false,
      // One buffer, read into over and over; returning false stops the reading until the chunk was taken.
      onread: { buffer: this.#chunk, callback: (bytes: number) => this.#onChunk(bytes) },
    };
    this.#socket = new Socket(options);
    this.#socket.on('end', () => this.#onWriterGone());
    this.#socket.on('error', (error) => this.abort(error));
    this.#socket.resume();
    this.#trickleTimer = setInterval(() => this.#trickle(), TRICKLE_INTERVAL_MS).unref();
  }

  /** How many bytes were taken so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** True when the writer has come and gone: nothing more will be written. */
  get writerGone(): boolean {
    return this.#writer === 'gone';
  }

  /** COPY has ended well: what is still in the pipe is the rest, and then the iteration ends. */
  commit(): void {
    if (this.#decision === 'open') this.#decision = 'committed';
    this.#closeOwnWriter();
    this.#wake();
  }

  /** The iteration throws `reason`, at once. */
  abort(reason: unknown): void {
    if (this.#decision !== 'aborted') {
      this.#decision = 'aborted';
      this.#abortReason = reason;
    }
    this.#wake();
  }

  /** Not a generator: `return` must take effect also while a `next` is waiting. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        const chunk = await this.#next();
        if (chunk === undefined) return { done: true, value: undefined };
        this.#bytesRead += chunk.length;
        this.#isTaken = true;
        return { done: false, value: chunk };
      },
      return: () => {
        this.abort(new SluiceError('export_aborted', 'the export takes no more rows'));
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  /**
   * The export has failed: COPY's next write shall fail too. A backend that has not opened the pipe yet would wait for
   * ever on one that has no reader, or make a file if it were gone; so until then the pipe stays.
   */
  async refuseWrites(): Promise<void> {
    if (this.#writer !== 'not seen') return this.close();
    if (this.#closing === 'no') this.#closing = 'when written to';
    this.#socket.resume();
  }

  /** Closes and removes the pipe. Only when no backend can still be about to open it. */
  async close(): Promise<void> {
    if (this.#closing === 'closed') return;
    this.#closing = 'closed';
    clearInterval(this.#trickleTimer);
    this.#closeOwnWriter();
    this.#socket.destroy();
    await this.#remove();
  }

  /** From now on the end of COPY is the end of the pipe. */
  #closeOwnWriter(): void {
    if (this.#ownWriterFd === undefined) return;
    closeSync(this.#ownWriterFd);
    this.#ownWriterFd = undefined;
  }

  #remove(): Promise<void> {
    this.#removed ??= unlink(this.#pipe.path).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
    return this.#removed;
  }

  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#decision === 'aborted') throw this.#abortReason;
      if (this.#chunkBytes > 0) {
        const chunk = this.#chunk.subarray(0, this.#chunkBytes);
        this.#chunkBytes = 0;
        return chunk;
      }
      const trickled = this.#trickled.shift();
      if (trickled !== undefined) return trickled;
      if (this.#decision === 'committed') return this.#readRest();
      this.#isTaken = false;
      if (this.#writer !== 'gone') this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** @returns whether reading goes on */
  #onChunk(bytes: number): boolean {
    if (this.#writer === 'not seen') {
      this.#writer = 'seen';
      this.#closeOwnWriter();
      // Its name is not needed any more, and an agent that is killed from now on leaves no pipe.
      // Should that fail, close() says so.
      this.#remove().catch(() => undefined);
    }
    if (this.#closing === 'when written to') {
      this.close().catch(() => undefined);
      return false;
    }
    this.#chunkBytes = bytes;
    this.#wake();
    return false;
  }

  #onWriterGone(): void {
    this.#writer = 'gone';
    if (this.#closing === 'when written to') this.close().catch(() => undefined);
    this.#wake();
  }

  /** After the commit, reads what is left in the pipe with read calls of its own: the writer is gone, or about to go. */
  async #readRest(): Promise<Uint8Array | undefined> {
    this.#socket.pause();
    const deadline = steadyNow() + WRITER_CLOSE_TIMEOUT_MS;
    while (this.#writer !== 'gone') {
      const bytes = this.#readNow(this.#chunk);
      if (bytes !== undefined && bytes > 0) return this.#chunk.subarray(0, bytes);
      if (bytes === 0) break;
      if (steadyNow() > deadline) {
        throw new SluiceError(
          'internal',
          "the export's pipe is still open for writing after COPY has ended",
          {
            hint: 'Export again. Does a process other than PostgreSQL use the folder of the pipes?',
          },
        );
      }
      await delay(WRITER_CLOSE_POLL_MS);
      if (this.#decision === 'aborted') throw this.#abortReason;
    }
    return undefined;
  }

  /** The consumer is busy with a chunk and takes no other: see TRICKLE_INTERVAL_MS. */
  #trickle(): void {
    const isStalled =
      this.#isTaken && this.#chunkBytes === 0 && this.#writer === 'seen' && this.#decision === 'open';
    if (!isStalled || this.#closing !== 'no') return;
    const page = Buffer.allocUnsafe(TRICKLE_BYTES);
    try {
      const bytes = this.#readNow(page);
      if (bytes !== undefined && bytes > 0) this.#trickled.push(page.subarray(0, bytes));
    } catch (error) {
      // A timer's exception would end the agent; this is one export's.
      this.abort(error);
    }
  }

  /** Bytes read; 0 when no writer has the pipe open; undefined when there is nothing to read now. */
  #readNow(buffer: Buffer): number | undefined {
    try {
      return readSync(this.#pipe.fd, buffer, 0, buffer.length, null);
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return undefined;
      throw error;
    }
  }
}
