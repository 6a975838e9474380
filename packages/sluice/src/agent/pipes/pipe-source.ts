import { closeSync, readSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf, SluiceError } from '../../errors.ts';
import type { OpenPipe } from './pipe-pool.ts';
import { steadyNow } from '../../steady-clock.ts';

/** The capacity of a pipe on Linux, so that one read can empty it. */
const CHUNK_BYTES = 64 * 1024;
/**
 * While the consumer takes no bytes (S3 is slower than COPY), one page is still read at this interval. A backend that
 * is blocked in write() on a full pipe does not check for a cancel; each page lets it go on, and it checks at the next
 * row.
 */
const TRICKLE_INTERVAL_MS = 250;
const TRICKLE_BYTES = 4096;
/**
 * COPY has closed the pipe before the commit arrives. If it stays open for longer than this, another process holds it.
 */
const WRITER_CLOSE_TIMEOUT_MS = 10_000;
const WRITER_CLOSE_POLL_MS = 2;

/**
 * The bytes that COPY writes to a named pipe, as an iterable that ends only when the export is committed. The end of
 * the pipe does not count as success, since a failed query ends it as well. It can be iterated once; a chunk is valid
 * until the next one is requested.
 */
export class PipeSource implements AsyncIterable<Uint8Array> {
  readonly #pipe: OpenPipe;
  readonly #socket: Socket;
  readonly #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  /** Bytes in #chunk that were read and that the consumer has not taken yet. */
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
      // All reads go into one buffer. The callback returns false, which pauses reading until the consumer has taken the
      // chunk.
      onread: { buffer: this.#chunk, callback: (bytes: number) => this.#onChunk(bytes) },
    };
    this.#socket = new Socket(options);
    this.#socket.on('end', () => this.#onWriterGone());
    this.#socket.on('error', (error) => this.abort(error));
    this.#socket.resume();
    this.#trickleTimer = setInterval(() => this.#trickle(), TRICKLE_INTERVAL_MS).unref();
  }

  /** How many bytes the consumer has taken so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** True when COPY has opened the pipe and closed it again: nothing more will be written. */
  get writerGone(): boolean {
    return this.#writer === 'gone';
  }

  /** COPY has ended without error: the iteration gives what is still in the pipe, and then ends. */
  commit(): void {
    if (this.#decision === 'open') this.#decision = 'committed';
    this.#closeOwnWriter();
    this.#wake();
  }

  /** Makes the iteration throw `reason` at once. */
  abort(reason: unknown): void {
    if (this.#decision !== 'aborted') {
      this.#decision = 'aborted';
      this.#abortReason = reason;
    }
    this.#wake();
  }

  /** Not an async generator: its `return` would wait for a pending `next`, and here it must take effect at once. */
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
   * Makes COPY's next write fail, since the export has failed. The pipe is closed only when the backend has opened it:
   * a backend that opens a pipe without a reader would wait for ever, and one that opens a removed path would create a
   * file.
   */
  async refuseWrites(): Promise<void> {
    if (this.#writer !== 'not seen') return this.close();
    if (this.#closing === 'no') this.#closing = 'when written to';
    this.#socket.resume();
  }

  /** Closes and removes the pipe. To be called only when no backend can still open it. */
  async close(): Promise<void> {
    if (this.#closing === 'closed') return;
    this.#closing = 'closed';
    clearInterval(this.#trickleTimer);
    this.#closeOwnWriter();
    this.#socket.destroy();
    await this.#remove();
  }

  /** Closes the agent's own writing descriptor, so that the pipe ends when COPY closes it. */
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

  /** @returns whether to go on reading */
  #onChunk(bytes: number): boolean {
    if (this.#writer === 'not seen') {
      this.#writer = 'seen';
      this.#closeOwnWriter();
      // COPY has opened the pipe, so its name is not needed any more. Removed now, so that an agent that is killed
      // later leaves no pipe. If the removal fails, close() throws its error.
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

  /**
   * After the commit: reads what is left in the pipe by direct read calls. COPY has closed the pipe, or is about to.
   */
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

  /** Reads a page while the consumer is busy with a chunk: see TRICKLE_INTERVAL_MS. */
  #trickle(): void {
    const isStalled =
      this.#isTaken && this.#chunkBytes === 0 && this.#writer === 'seen' && this.#decision === 'open';
    if (!isStalled || this.#closing !== 'no') return;
    const page = Buffer.allocUnsafe(TRICKLE_BYTES);
    try {
      const bytes = this.#readNow(page);
      if (bytes !== undefined && bytes > 0) this.#trickled.push(page.subarray(0, bytes));
    } catch (error) {
      // Thrown from a timer, this would end the agent; it must end this export only.
      this.abort(error);
    }
  }

  /** Gives the number of bytes read; 0 when nobody has the pipe open for writing; undefined when it is empty now. */
  #readNow(buffer: Buffer): number | undefined {
    try {
      return readSync(this.#pipe.fd, buffer, 0, buffer.length, null);
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return undefined;
      throw error;
    }
  }
}
