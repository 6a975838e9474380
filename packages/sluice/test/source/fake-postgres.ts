import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { message, READY } from './messages.ts';

const CANCEL_REQUEST_CODE = 80877102;

/** A server that lets everybody in and answers a query as a test says; what PostgreSQL itself can't be made to do. */
export class FakePostgres implements AsyncDisposable {
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #answer: (socket: Socket, sql: string) => void;
  cancels = 0;

  private constructor(answer: (socket: Socket, sql: string) => void) {
    this.#answer = answer;
  }

  static async start(answer: (socket: Socket, sql: string) => void): Promise<FakePostgres> {
    const server = new FakePostgres(answer);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  /** With an encoding, so that nobody asks for it. */
  get url(): string {
    const address = this.#server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    return `postgresql://someone@127.0.0.1:${port}/somewhere?sslmode=disable&client_encoding=UTF8`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    let isStarted = false;
    socket.on('data', (bytes) => {
      if (isStarted) {
        if (bytes[0] === 'Q'.charCodeAt(0))
          this.#answer(socket, bytes.toString('utf8', 5, bytes.byteLength - 1));
        return;
      }
      isStarted = true;
      if (bytes.readInt32BE(4) === CANCEL_REQUEST_CODE) {
        this.cancels += 1;
        socket.end();
        return;
      }
      const parameter = message('S', 'client_encoding\0UTF8\0');
      const key = message('K', Buffer.from([0, 0, 0, 7, 0, 0, 0, 9]));
      socket.write(Buffer.concat([message('R', Buffer.alloc(4)), parameter, key, READY]));
    });
  }
}
