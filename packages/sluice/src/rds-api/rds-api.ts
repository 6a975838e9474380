import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { RequestHeaders } from '../aws-protocol/request-headers.ts';
import { SluiceError } from '../errors.ts';
import { failure, handleRequest, type ApiAnswer } from './handle-request.ts';
import { removeStaleSocket } from '../files/stale-socket.ts';
import { logServerErrors } from '../log-server-errors.ts';
import type { OperationContext } from './operation.ts';
import { RdsError } from './rds-error.ts';

const MAX_BODY_BYTES = 1024 * 1024;
/** How long a request may take to arrive completely. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 64;

export interface RdsApiOptions extends OperationContext {
  /** Port 0 means any free port. A Unix socket is open to the agent's own user only. */
  listen: { host: string; port: number } | { path: string };
  accessKeys: readonly { id: string; secret: string }[];
  log: Logger;
}

/**
 * The operations of the Amazon RDS API that manage IAM roles, for one cluster: AWS Query protocol 2014-10-31 over HTTP.
 * Requests must be signed with one of the configured keys.
 */
export class RdsApi {
  readonly #options: RdsApiOptions;
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #server: Server;

  private constructor(options: RdsApiOptions) {
    this.#options = options;
    this.#secrets = new Map(options.accessKeys.map(({ id, secret }) => [id, secret]));
    this.#server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
      (request, response) => {
        this.#serve(request, response).catch((error: unknown) => {
          options.log.warn({ err: error }, 'a request to the RDS API could not be answered');
          response.destroy();
        });
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws SluiceError `config_invalid`: the server can't listen on this address */
  static async open(
    options: RdsApiOptions,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<RdsApi> {
    const api = new RdsApi(options);
    try {
      await api.#listen(options.listen);
      await once(api.#server, 'listening', signal === undefined ? {} : { signal });
    } catch (error) {
      api.#server.close();
      signal?.throwIfAborted();
      const where = Object.values(options.listen).join(', port ');
      throw new SluiceError('config_invalid', `rds_api.listen: could not listen at ${where}`, {
        cause: error,
        detail: error instanceof Error ? error.message : String(error),
      });
    }
    logServerErrors(api.#server, options.log, 'the RDS API');
    options.log.info({ endpoint: api.endpoint }, 'RDS API listens');
    return api;
  }

  /** The URL for `--endpoint-url`, e.g. `http://127.0.0.1:8432`. */
  get endpoint(): string {
    const address = this.#server.address();
    if (address === null) throw new SluiceError('internal', 'the RDS API is closed');
    if (typeof address === 'string') return `unix:${address}`;
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  async #listen(address: RdsApiOptions['listen']): Promise<void> {
    if ('port' in address) {
      this.#server.listen(address.port, address.host);
      return;
    }
    await removeStaleSocket(address.path);
    // The umask closes the socket to others from the moment it is made.
    const mask = process.umask(0o177);
    try {
      this.#server.listen(address.path);
    } finally {
      process.umask(mask);
    }
  }

  /** Stops listening, and waits for the requests in progress. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), REQUEST_TIMEOUT_MS).unref();
    await closed;
    clearTimeout(timer);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    const answer = await this.#answer(request, requestId);
    const { status, action, accessKeyId, error } = answer;
    const level = error === undefined || error instanceof RdsError ? 'info' : 'error';
    this.#options.log[level](
      { requestId, action, accessKeyId, status, ...(error === undefined ? {} : { err: error }) },
      'RDS API request',
    );
    // The request was answered before its whole body was read: the connection is closed instead of reading the rest.
    if (!request.complete) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': requestId });
    response.end(answer.xml);
  }

  async #answer(request: IncomingMessage, requestId: string): Promise<ApiAnswer> {
    const { cluster, roles } = this.#options;
    const body = await readBody(request);
    if (body === undefined) {
      const error = new RdsError('RequestEntityTooLarge', `A request has ${MAX_BODY_BYTES} bytes at most.`);
      return { ...failure(error, requestId), action: undefined, accessKeyId: undefined, error };
    }
    return handleRequest(
      {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: new RequestHeaders(request.rawHeaders),
        body,
        requestId,
      },
      { cluster, roles, region: cluster.region, now: new Date(), secretOf: (id) => this.#secrets.get(id) },
    );
  }
}

/** Undefined when the body is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
