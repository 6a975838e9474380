import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

/** A proxy to S3 that can be stalled: requests that match are not answered, and optionally not even read. */
export class StallingS3 implements AsyncDisposable {
  readonly #server: http.Server;
  #target: URL | undefined;
  #stalls: { matches: RegExp; reads: boolean } | undefined;
  #stalled = 0;

  private constructor() {
    this.#server = http.createServer((incoming, response) => this.#handle(incoming, response));
  }

  static async start(): Promise<StallingS3> {
    const s3 = new StallingS3();
    s3.#server.listen(0, '127.0.0.1');
    await once(s3.#server, 'listening');
    return s3;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The endpoint for requests that are not stalled. */
  set target(endpoint: string) {
    this.#target = new URL(endpoint);
  }

  /** How many requests have been stalled. */
  get stalled(): number {
    return this.#stalled;
  }

  /** @param matches a request as `METHOD path?query` */
  stall(matches: RegExp, { reads = true } = {}): void {
    this.#stalls = { matches, reads };
    this.#stalled = 0;
  }

  flow(): void {
    this.#stalls = undefined;
    // Closes the stalled connections; their requests will be sent again.
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close').catch(() => undefined);
  }

  #handle(incoming: http.IncomingMessage, response: http.ServerResponse): void {
    incoming.on('error', () => undefined);
    response.on('error', () => undefined);
    if (this.#stalls?.matches.test(`${incoming.method ?? ''} ${incoming.url ?? ''}`)) {
      this.#stalled += 1;
      if (this.#stalls.reads) incoming.resume();
      return;
    }
    const { hostname, port } = this.#target ?? {};
    const outgoing = http.request(
      { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on('error', () => incoming.destroy());
    incoming.pipe(outgoing);
  }
}
