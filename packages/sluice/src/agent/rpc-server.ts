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

/** The file name by which libpq finds the socket in the directory that is given as host (port 5432). */
export const SOCKET_NAME = '.s.PGSQL.5432';

export interface RpcServerOptions {
  directory: string;
  /** PostgreSQL's user, when it is another than the agent's own. */
  owner?: OsUser | undefined;
  /** Further connections are refused with an error. */
  maxConnections: number;
  serve: (socket: Socket) => void;
  log: Logger;
}

/** The agent's Unix socket, in a directory that only PostgreSQL's user can enter. */
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
      // Read errors reach the loop that serves the socket. A write error means that the client is gone and needs no
      // answer.
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

  /** Accepts no new connections; open ones go on. */
  stopListening(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.stopListening();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function refuse(socket: Socket, maxConnections: number): void {
  // A client that is gone needs no answer.
  socket.on('error', () => socket.destroy());
  socket.end(
    errorResponse({
      severity: 'FATAL',
      sqlState: '53300', // too_many_connections
      message: `the Sluice agent has ${maxConnections} connections already`,
    }),
  );
}
