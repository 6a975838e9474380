import { once } from 'node:events';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import type { Queue } from 'bullmq';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { SluiceError } from 'sluice';
import { board } from './board.ts';
import { Login } from './login.ts';
import { onlyHosts, onlyOwnSite } from './same-site.ts';
import { securityHeaders } from './security-headers.ts';

const MAX_BODY_BYTES = 64 * 1024;

export interface DashboardOptions {
  queues: readonly Queue[];
  /** Who has it sees the dashboard. */
  token: string;
  listen: { host: string; port: number };
  /** Names under which it is reached, beside localhost and addresses. */
  hosts?: readonly string[] | undefined;
  /** A connection could not be accepted. */
  onError: (error: Error) => void;
}

/** Bull Board over HTTP, for who has the token. */
export class Dashboard implements AsyncDisposable {
  readonly #server: ServerType;

  private constructor(server: ServerType) {
    this.#server = server;
  }

  /** @throws SluiceError `config_invalid`: it can't listen there */
  static async start({ queues, token, listen, hosts = [], onError }: DashboardOptions): Promise<Dashboard> {
    const login = new Login(token);
    const app = new Hono()
      .use(securityHeaders())
      .use(onlyHosts([listen.host, ...hosts]))
      .use(onlyOwnSite())
      .route('/', login.routes())
      .use(login.guard())
      .use(bodyLimit({ maxSize: MAX_BODY_BYTES }))
      .route('/', board(queues));
    const server = createAdaptorServer({ fetch: app.fetch, hostname: listen.host });
    server.listen(listen.port, listen.host);
    try {
      await once(server, 'listening');
    } catch (error) {
      throw new SluiceError(
        'config_invalid',
        `the dashboard could not listen on ${listen.host}:${listen.port}`,
        {
          cause: error,
          detail: error instanceof Error ? `${error.message}.` : undefined,
          hint: 'Give another address or port: [dashboard] listen in fleet.toml.',
        },
      );
    }
    // A connection that could not be accepted is lost, and the others are not.
    server.on('error', onError);
    return new Dashboard(server);
  }

  /** `http://127.0.0.1:8433`. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('the dashboard does not listen');
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    if ('closeAllConnections' in this.#server) this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Whether only this machine reaches it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
