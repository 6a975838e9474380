import http from 'node:http';
import https from 'node:https';
import type { Body } from './body.ts';
import { NetworkTimeoutError, S3ResponseError } from './s3-failure.ts';

/** Error documents have some hundred bytes; longer answers are cut. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** How long to wait for `100 Continue`; a server does not have to send it. */
const CONTINUE_TIMEOUT_MS = 1_000;

export interface SendRequest {
  protocol: 'http:' | 'https:';
  hostname: string;
  port: number | undefined;
  /** Path and query, escaped already; sent unchanged. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body: Body;
  agent: http.Agent;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  /** Send the body only after `100 Continue`, so that a refusal can be read before the server resets the connection. */
  expectContinue: boolean;
  signal?: AbortSignal | undefined;
}

export interface SendResponse {
  headers: http.IncomingHttpHeaders;
}

/**
 * Sends one PUT, and reads its answer.
 *
 * @throws {S3ResponseError} the answer is an error
 * @throws {NetworkTimeoutError} no connection, or no progress, within the time limit
 * @throws Node's error, when the connection broke; the signal's abort error
 */
export function sendPut(request: SendRequest): Promise<SendResponse> {
  return new Promise((resolve, reject) => {
    const { protocol, hostname, port, path, agent, signal, expectContinue } = request;
    const outgoing = (protocol === 'https:' ? https : http).request({
      method: 'PUT',
      host: hostname,
      port,
      path,
      agent,
      headers: { ...request.headers, ...(expectContinue ? { expect: '100-continue' } : {}) },
      timeout: request.requestTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    limitConnectTime(outgoing, request.connectTimeoutMs);
    outgoing.on('timeout', () => {
      outgoing.destroy(new NetworkTimeoutError('stalled', request.requestTimeoutMs));
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      readResponse(outgoing, response).then(resolve, reject);
    });
    if (expectContinue) {
      afterAgreement(outgoing, () => writeBody(outgoing, request.body));
    } else {
      writeBody(outgoing, request.body);
    }
  });
}

function writeBody(outgoing: http.ClientRequest, body: Body): void {
  for (const block of body) outgoing.write(block);
  outgoing.end();
}

/** Writes the body when the server has answered `100 Continue`, or has not answered within CONTINUE_TIMEOUT_MS. */
function afterAgreement(outgoing: http.ClientRequest, write: () => void): void {
  const timer = setTimeout(agree, CONTINUE_TIMEOUT_MS);
  const stop = (): void => {
    clearTimeout(timer);
    outgoing.off('continue', agree).off('response', stop).off('close', stop);
  };
  function agree(): void {
    stop();
    write();
  }
  outgoing.on('continue', agree).on('response', stop).on('close', stop);
  outgoing.flushHeaders();
}

function limitConnectTime(outgoing: http.ClientRequest, timeoutMs: number): void {
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => {
      outgoing.destroy(new NetworkTimeoutError('connect-timeout', timeoutMs));
    }, timeoutMs);
    const connected = 'encrypted' in socket ? 'secureConnect' : 'connect';
    const stop = (): void => clearTimeout(timer);
    socket.once(connected, stop);
    socket.once('close', stop);
  });
}

async function readResponse(
  outgoing: http.ClientRequest,
  response: http.IncomingMessage,
): Promise<SendResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (bytes < MAX_ANSWER_BYTES) chunks.push(chunk);
    bytes += chunk.byteLength;
  }
  // S3 answered before the whole body was sent. The connection can't be reused: the rest of the body would be read as
  // the next request.
  if (!outgoing.writableFinished) outgoing.destroy();
  const { statusCode = 0, headers } = response;
  if (statusCode >= 200 && statusCode < 300) return { headers };
  throw new S3ResponseError(statusCode, headers, Buffer.concat(chunks).toString('utf8', 0, MAX_ANSWER_BYTES));
}
