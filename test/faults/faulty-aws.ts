import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ArmedPlan } from './armed-plan.ts';
import { newExchange } from './aws-exchange.ts';
import { readAwsRequest } from './aws-operation.ts';
import { misbehave } from './misbehave.ts';

/**
 * A proxy to S3 and STS. It passes requests unchanged (so their signatures stay valid), except for the faults of plans.
 */
export class FaultyAws implements AsyncDisposable {
  readonly #server: http.Server;
  readonly #plans = new Set<ArmedPlan>();
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  #target: URL | undefined;

  private constructor() {
    this.#server = http.createServer((incoming, response) => this.#serve(incoming, response));
    this.#server.on('checkContinue', (incoming: http.IncomingMessage, response: http.ServerResponse) => {
      response.writeContinue();
      this.#serve(incoming, response);
    });
    this.#server.on('clientError', (_error, socket) => socket.destroy());
    // The server must not close idle connections: that would be a fault that is in no plan.
    this.#server.keepAliveTimeout = 0;
    this.#server.requestTimeout = 0;
  }

  static async start(): Promise<FaultyAws> {
    const aws = new FaultyAws();
    aws.#server.listen(0, '127.0.0.1');
    await once(aws.#server, 'listening');
    return aws;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The endpoint of the real AWS. */
  set target(endpoint: string) {
    this.#target = new URL(endpoint);
  }

  arm(plan: ArmedPlan): void {
    this.#plans.add(plan);
  }

  forget(plan: ArmedPlan): void {
    this.#plans.delete(plan);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    this.#agent.destroy();
  }

  #serve(incoming: http.IncomingMessage, response: http.ServerResponse): void {
    // Saved here, because a destroyed request has no socket any more.
    const { socket } = incoming;
    incoming.on('error', () => response.destroy());
    response.on('error', () => incoming.destroy());
    this.#handle(incoming, response).catch(() => socket.destroy());
  }

  async #handle(incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    // The operation of an STS request is in its body, which is short.
    const body = incoming.method === 'POST' && incoming.url === '/' ? await readAll(incoming) : undefined;
    const request = readAwsRequest(incoming, body?.toString('utf8') ?? '');
    const plan = [...this.#plans].find((armed) => armed.isMeant(request));
    const { exchange, fault } = plan?.meet(request) ?? { exchange: newExchange(request), fault: undefined };
    response.once('close', () => {
      if (!response.writableFinished && fault === undefined)
        exchange.givenUpAfterMs = performance.now() - exchange.cameAt;
    });
    await misbehave(fault, {
      incoming,
      response,
      body,
      exchange,
      note: (changes) => Object.assign(exchange, changes),
      connect: (onAnswer) => this.#connect(incoming, onAnswer),
    });
  }

  #connect(
    incoming: http.IncomingMessage,
    onAnswer: (answer: http.IncomingMessage) => void,
  ): http.ClientRequest {
    const { hostname, port } = this.#target ?? {};
    const { method, url, headers, socket } = incoming;
    // Expect is not passed on: the proxy has answered it.
    const { expect: _expect, ...kept } = headers;
    const outgoing = http.request(
      { hostname, port, method, path: url, headers: kept, agent: this.#agent },
      onAnswer,
    );
    outgoing.on('error', () => socket.destroy());
    return outgoing;
  }
}

async function readAll(incoming: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
