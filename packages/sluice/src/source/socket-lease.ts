import type { Duplex } from 'node:stream';
import type { Client, Connection } from 'pg';
import { ReadingSocket } from './reading-socket.ts';

export interface SocketReader {
  /** Gives whether more may be read now; if not, `resume` has it go on. */
  read(chunk: Buffer): boolean;
  /** The connection is closed, and pg has told its queries. */
  closed(cause: Error | undefined): void;
}

/**
 * The socket of a pg client, read by somebody else than pg for the time of one query. pg's own listeners are put aside
 * and given what is theirs; they are there again afterwards. Works for TCP, TLS and Unix sockets alike.
 */
export class SocketLease {
  readonly #client: Client;
  readonly #reader: SocketReader;
  #stream: Duplex | undefined;
  readonly #listenersOfPg: ((chunk: Buffer) => void)[] = [];
  #cause: Error | undefined;
  readonly #onData = (chunk: Buffer): void => {
    if (!this.#reader.read(chunk)) this.#stream?.pause();
  };
  readonly #onError = (error: Error): void => {
    this.#cause ??= error;
  };
  readonly #onClose = (): void => this.#reader.closed(this.#cause);

  constructor(client: Client, reader: SocketReader) {
    this.#client = client;
    this.#reader = reader;
  }

  /** From now on a broken connection is the reader's to tell, and no event of the client that nobody listens to. */
  begin(): void {
    this.#client.on('error', this.#onError);
  }

  /** The client is about to send a query: all that comes from now on is its answer, at the beginning of a message. */
  takeOver(): void {
    // With TLS another one than when the client was made.
    const { stream } = this.#client.connection;
    this.#stream = stream;
    if (stream instanceof ReadingSocket) stream.readBy((chunk) => this.#reader.read(chunk));
    else stream.on('data', this.#onData);
    for (const listener of stream.listeners('data')) {
      if (listener === this.#onData || !isReader(listener)) continue;
      this.#listenersOfPg.push(listener);
      stream.removeListener('data', listener);
    }
    stream.on('error', this.#onError);
    // Behind pg's own listener, which tells the client.
    stream.on('close', this.#onClose);
  }

  /** Has pg read these bytes. */
  pass(bytes: Buffer): void {
    for (const listener of this.#listenersOfPg) listener.call(this.#stream, bytes);
  }

  refuseCopyIn(reason: string): void {
    const connection: Connection & { sendCopyFail?: (reason: string) => void } = this.#client.connection;
    connection.sendCopyFail?.(reason);
  }

  resume(): void {
    if (this.#stream instanceof ReadingSocket) this.#stream.readOn();
    else if (this.#stream?.isPaused() === true) this.#stream.resume();
  }

  /** The socket is pg's again, beginning with these bytes. */
  giveBack(bytes: Buffer): void {
    const stream = this.#release();
    for (const listener of this.#listenersOfPg) stream?.on('data', listener);
    stream?.resume();
    this.pass(bytes);
  }

  /** Closes the connection; `closed` is called when it is. */
  destroy(): void {
    this.#stream?.destroy();
  }

  end(): void {
    this.#release();
    this.#client.removeListener('error', this.#onError);
  }

  #release(): Duplex | undefined {
    const stream = this.#stream;
    if (stream instanceof ReadingSocket) stream.readBy(undefined);
    else stream?.removeListener('data', this.#onData);
    stream?.removeListener('error', this.#onError);
    stream?.removeListener('close', this.#onClose);
    return stream;
  }
}

/** What listens to `data`, as Node.js has it. */
function isReader(listener: unknown): listener is (chunk: Buffer) => void {
  return typeof listener === 'function';
}
