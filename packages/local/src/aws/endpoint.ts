import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { InvalidUriError, SigV4Error, readSignatureClaim } from 'sluice/aws-protocol';
import type { AwsService, HandledRequest } from './aws-service.ts';
import { AwsRequest } from './http/aws-request.ts';
import { discardRestOfBody } from './http/discard-rest-of-body.ts';

/** A request that has ended. */
export interface AwsRequestLog extends HandledRequest {
  readonly method: string;
  /** The path as the client sent it, without the query, which may contain a signature. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
}

/** The services of an endpoint, by their names in the SigV4 scope. Requests without a readable scope go to S3. */
export interface AwsServices {
  readonly s3: AwsService;
  readonly [name: string]: AwsService;
}

/** Gives the requests of an HTTP server to the services, and knows which requests are running. */
export class Endpoint {
  readonly #services: ReadonlyMap<string, AwsService>;
  readonly #s3: AwsService;
  readonly #log: (request: AwsRequestLog) => void;
  readonly #running = new Set<Promise<void>>();

  constructor(services: AwsServices, log: (request: AwsRequestLog) => void = () => undefined) {
    this.#services = new Map(Object.entries(services));
    this.#s3 = services.s3;
    this.#log = log;
  }

  serve(server: Server): void {
    server.on('request', (incoming, response) => this.#start(incoming, response, () => undefined));
    server.on('checkContinue', (incoming, response) => {
      // A client that is refused does not send the body that it announced, so the connection can't be used again.
      response.setHeader('connection', 'close');
      this.#start(incoming, response, () => {
        response.removeHeader('connection');
        response.writeContinue();
      });
    });
  }

  /** Resolves when no request is running. */
  async drained(): Promise<void> {
    await Promise.all(this.#running);
  }

  #start(incoming: IncomingMessage, response: ServerResponse, sendContinue: () => void): void {
    const exchange = this.#exchange(incoming, response, sendContinue).finally(() =>
      this.#running.delete(exchange),
    );
    this.#running.add(exchange);
  }

  /** One request and its answer. Never rejects. */
  async #exchange(
    incoming: IncomingMessage,
    response: ServerResponse,
    sendContinue: () => void,
  ): Promise<void> {
    const startedMs = performance.now();
    let handled: HandledRequest;
    try {
      handled = await this.#handle(incoming, response, sendContinue);
      discardRestOfBody(incoming);
      await finished(response);
    } catch (error) {
      // The connection ended, or the answer broke off. The connection is cut, so that the client can't take a part of
      // an answer for all of it.
      response.destroy();
      handled = { error };
    }
    this.#log({
      ...handled,
      method: incoming.method ?? '',
      path: (incoming.url ?? '').replace(/\?.*/s, ''),
      status: response.statusCode,
      durationMs: performance.now() - startedMs,
    });
  }

  async #handle(
    incoming: IncomingMessage,
    response: ServerResponse,
    sendContinue: () => void,
  ): Promise<HandledRequest> {
    let request: AwsRequest;
    try {
      request = new AwsRequest(incoming, sendContinue);
    } catch (error) {
      if (!(error instanceof InvalidUriError)) throw error;
      response.writeHead(400, { 'content-type': 'application/xml' });
      response.end(
        "<Error><Code>InvalidURI</Code><Message>Couldn't parse the specified URI.</Message></Error>",
      );
      return { errorCode: 'InvalidURI' };
    }
    const service = this.#services.get(scopeOf(request) ?? 's3') ?? this.#s3;
    return service.handle(request, response);
  }
}

/**
 * The service that a request was signed for; undefined if the signature can't be read. S3 then answers what is wrong
 * with it.
 */
function scopeOf(request: AwsRequest): string | undefined {
  try {
    return readSignatureClaim(request).service;
  } catch (error) {
    if (error instanceof SigV4Error) return undefined;
    throw error;
  }
}
