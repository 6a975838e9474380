import { once } from 'node:events';
import { chmod, chown } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { makeOwnDirectory } from './own-directory.ts';
import { errorResponse } from './pg-protocol/backend-messages.ts';
import type { OsUser } from './os-user.ts';
import { removeStaleSocket } from '../files/stale-socket.ts';
import { logServerErrors } from '../log-server-errors.ts';

/** libpq looks for this name in the directory that is given as host. */
export const SOCKET_NAME = '.s.PGSQL.5432';

export interface RpcServerOptions {
  directory: string;
  /** Who may connect besides the agent's own user. */
  owner?: OsUser | undefined;
  /** Further ones are told that there are too many. */
  maxConnections: number;
  serve: (socket: Socket) => void;
  log: Logger;
}

/** The agent's Unix socket, in a folder that is closed to everybody but the user that PostgreSQL runs as. */
export class RpcServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws SluiceError `config_invalid`: another agent listens there, or the folder can't be used */
  static async open({ directory, owner, maxConnections, serve, log }: RpcServerOptions): Promise<RpcServer> {
    const path = join(directory, SOCKET_NAME);
    await makeOwnDirectory(directory, owner);
    await removeStaleSocket(path);

    const server = createServer({ allowHalfOpen: false });
    const rpcServer = new RpcServer(server);
    server.on('connection', (socket) => {
      if (rpcServer.#sockets.size >= maxConnections) return refuse(socket, maxConnections);
      rpcServer.#sockets.add(socket);
      // Whoever serves it meets the errors of reading. Who is gone when an answer is written misses nothing.
      socket.on('error', () => socket.destroy());
      socket.once('close', () => rpcServer.#sockets.delete(socket));
      serve(socket);
    });
    server.listen(path);
    await once(server, 'listening');
    logServerErrors(server, log, "the extension's socket");
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

function refuse(socket: Socket, maxConnections: number): void {
  // Who is gone need not be told.
  socket.on('error', () => socket.destroy());
  socket.end(
    errorResponse({
      severity: 'FATAL',
      sqlState: '53300', // too_many_connections
      message: `the Sluice agent has ${maxConnections} connections already`,
    }),
  );
}
