import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One connection of a client, passed on to the server. */
export interface ProxiedConnection {
  /** In the order in which they were opened, from 0. */
  index: number;
  /** Chunks that the client has sent, this one included. */
  sentChunks: number;
  /** Bytes that the server has sent. */
  receivedBytes: number;
  /** Breaks it, on both sides. */
  cut(): void;
}

/** What happens on a connection, before it is passed on. */
export type ProxyWatcher = (connection: ProxiedConnection) => void;

/** Stands between clients and a PostgreSQL server, and breaks their connections. */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: URL;
  readonly #watch: ProxyWatcher;
  readonly #sockets = new Set<Socket>();
  #count = 0;

  private constructor(target: URL, watch: ProxyWatcher) {
    this.#target = target;
    this.#watch = watch;
    this.#server = createServer((socket) => this.#pass(socket));
  }

  static async start(databaseUrl: string, watch: ProxyWatcher): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(databaseUrl), watch);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The database through the proxy, without a connection that asks for TLS first. */
  get url(): string {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    url.searchParams.set('sslmode', 'disable');
    return url.href;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const both = [client, server];
    const cut = (): void => {
      for (const socket of both) socket.resetAndDestroy();
    };
    const connection: ProxiedConnection = { index: this.#count, sentChunks: 0, receivedBytes: 0, cut };
    this.#count += 1;
    for (const socket of both) {
      this.#sockets.add(socket);
      // The other side learns of whatever happened to one.
      socket.on('error', cut).on('close', () => {
        this.#sockets.delete(socket);
        for (const other of both) other.end();
      });
    }
    client.on('data', (chunk: Buffer) => {
      connection.sentChunks += 1;
      this.#watch(connection);
      if (!server.destroyed) server.write(chunk);
    });
    server.on('data', (chunk: Buffer) => {
      connection.receivedBytes += chunk.length;
      this.#watch(connection);
      if (!client.destroyed) client.write(chunk);
    });
  }
}
