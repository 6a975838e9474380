import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { isSluiceError } from '../../errors.ts';
import type { ClusterRoles } from '../../identity/cluster-roles.ts';
import { removeStaleSocket } from '../../files/stale-socket.ts';
import { logServerErrors } from '../../log-server-errors.ts';
import {
  adminRequestSchema,
  adminSocketPath,
  MAX_LINE_BYTES,
  type AdminAnswer,
  type AdminRequest,
} from './admin-request.ts';

/** How long the answer to role-add waits until it is known whether the role can be assumed. */
const STATUS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;

export interface AdminServerOptions {
  stateDirectory: string;
  roles: ClusterRoles;
  log: Logger;
}

/**
 * Serves `sluice role`, which changes the role associations of a running agent. It has its own socket, open to the
 * agent's own user only: the agent's other socket is open to PostgreSQL, so a superuser of a database could send
 * requests there.
 */
export class AdminServer {
  readonly #server: Server;
  readonly #roles: ClusterRoles;
  readonly #log: Logger;
  readonly #sockets = new Set<Socket>();
  readonly #closing = new AbortController();

  private constructor({ roles, log }: AdminServerOptions) {
    this.#roles = roles;
    this.#log = log;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      // A client that has disconnected needs no answer. The loop that reads the socket gets read errors, too.
      socket.on('error', () => socket.destroy());
      socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
      socket.once('close', () => this.#sockets.delete(socket));
      this.#serve(socket).catch((error: unknown) => {
        log.warn({ err: error }, 'a connection of sluice role failed');
        socket.destroy();
      });
    });
  }

  /**
   * Listens in the state directory. A second agent with the same state directory fails here.
   *
   * @throws SluiceError `config_invalid`: another agent has this state directory
   */
  static async open(options: AdminServerOptions): Promise<AdminServer> {
    const { stateDirectory, log } = options;
    const admin = new AdminServer(options);
    const path = adminSocketPath(stateDirectory);
    if (path === undefined) {
      log.warn(
        { stateDirectory },
        'the path of agent.state_directory is too long for a socket: sluice role cannot reach this agent',
      );
      return admin;
    }
    await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
    await removeStaleSocket(path);
    // The umask closes the socket to others from the moment it is made; chmod below runs only later.
    const mask = process.umask(0o177);
    try {
      admin.#server.listen(path);
    } finally {
      process.umask(mask);
    }
    await once(admin.#server, 'listening');
    logServerErrors(admin.#server, log, 'the admin socket');
    await chmod(path, 0o600);
    return admin;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    const line = await readLine(socket);
    if (line === undefined) return;
    const answer = await this.#answer(line);
    socket.end(`${JSON.stringify(answer)}\n`);
  }

  async #answer(line: string): Promise<AdminAnswer> {
    try {
      return { roles: [...(await this.#run(adminRequestSchema.parse(JSON.parse(line))))] };
    } catch (error) {
      if (!isSluiceError(error)) this.#log.error({ err: error }, 'a request of sluice role failed');
      const { message, detail, hint } = isSluiceError(error)
        ? error
        : {
            message: 'the Sluice agent failed',
            detail: String(error),
            hint: "The agent's log has the whole error.",
          };
      return {
        error: {
          message,
          ...(detail === undefined ? {} : { detail }),
          ...(hint === undefined ? {} : { hint }),
        },
      };
    }
  }

  async #run(request: AdminRequest): Promise<ReturnType<ClusterRoles['list']>> {
    switch (request.op) {
      case 'role-list':
        break;
      case 'role-add': {
        const { roleArn, featureName } = request;
        await this.#roles.add(roleArn, featureName);
        await this.#roles.known(roleArn, { timeoutMs: STATUS_TIMEOUT_MS, signal: this.#closing.signal });
        break;
      }
      case 'role-remove':
        await this.#roles.remove(request.roleArn, request.featureName);
        break;
      default:
        return request satisfies never;
    }
    return this.#roles.list();
  }
}

/** Undefined when the connection ends before a whole line has arrived. */
async function readLine(socket: Socket): Promise<string | undefined> {
  let text = '';
  socket.setEncoding('utf8');
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    text += chunk;
    const end = text.indexOf('\n');
    if (end !== -1) return text.slice(0, end);
    if (text.length > MAX_LINE_BYTES) throw new Error('the line is too long');
  }
  return undefined;
}
