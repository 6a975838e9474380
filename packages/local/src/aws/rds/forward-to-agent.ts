import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { SignatureV4 } from '@smithy/signature-v4';
import { ForwardedAnswer } from '../query/query-operation.ts';
import { QueryError } from '../query/query-error.ts';

/** Where the agent's own RDS API is, and the access key that it knows. */
export interface RdsAgent {
  readonly socketPath: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const TIMEOUT_MS = 20_000;

/** Sends the parameters on, signed anew, and gives back what the agent answers. */
export async function forwardToAgent(
  { socketPath, region, ...credentials }: RdsAgent,
  parameters: Iterable<readonly [name: string, value: string]>,
): Promise<ForwardedAnswer> {
  const body = new URLSearchParams(Object.fromEntries(parameters)).toString();
  const signer = new SignatureV4({ service: 'rds', region, credentials, sha256: NodeSha256 });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'http:',
    hostname: 'agent',
    path: '/',
    headers: { host: 'agent', 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body,
  });
  const sending = request({ socketPath, method: 'POST', path: '/', headers, timeout: TIMEOUT_MS });
  sending.on('timeout', () => sending.destroy(new Error('the agent gave no answer in time')));
  try {
    sending.end(body);
    const [response]: IncomingMessage[] = await once(sending, 'response');
    if (response === undefined) throw new Error('the agent gave no answer');
    return new ForwardedAnswer(response.statusCode ?? 500, await text(response));
  } catch (error) {
    throw new QueryError('ServiceUnavailable', 503, 'The agent of the cluster does not answer.', {
      cause: error,
    });
  }
}

/** The hash that the signer asks for, by Node.js itself. */
class NodeSha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', toBuffer(secret));
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}

function toBuffer(secret: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof secret === 'string') return Buffer.from(secret);
  if (ArrayBuffer.isView(secret)) return Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength);
  return Buffer.from(secret);
}
