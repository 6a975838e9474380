import { once } from 'node:events';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { OsUser } from './pipes/pipe-pool.ts';
import { removeStaleSocket } from '../files/stale-socket.ts';

/** libpq looks for this name in the directory that is given as host. */
export const SOCKET_NAME = '.s.PGSQL.5432';

export interface RpcServerOptions {
  directory: string;
  /** Who may connect besides the agent's own user. */
  owner?: OsUser | undefined;
  serve: (socket: Socket) => void;
}

/** The agent's Unix socket, in a folder that is closed to everybody but the user that PostgreSQL runs as. */
export class RpcServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws SluiceError `config_invalid`: another agent listens there, or the folder can't be used */
  static async open({ directory, owner, serve }: RpcServerOptions): Promise<RpcServer> {
    const path = join(directory, SOCKET_NAME);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
    await removeStaleSocket(path);

    const server = createServer({ allowHalfOpen: false });
    const rpcServer = new RpcServer(server);
    server.on('connection', (socket) => {
      rpcServer.#sockets.add(socket);
      socket.once('close', () => rpcServer.#sockets.delete(socket));
      serve(socket);
    });
    server.listen(path);
    await once(server, 'listening');
    await chmod(path, 0o600);
    if (owner !== undefined) await chown(path, owner.uid, owner.gid);
    return rpcServer;
  }

  /** No new connections; those that are open go on. */
  stopListening(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.stopListening();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
