import { once } from 'node:events';
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from 'sluice/aws-protocol';

const TIMEOUT_MS = 20_000;

export interface QueryRequest {
  /** A host and port, or a Unix socket. */
  readonly to: Pick<RequestOptions, 'host' | 'port' | 'socketPath'>;
  readonly service: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly parameters: Readonly<Record<string, string>>;
}

/** Sends a signed request of the AWS Query protocol. Resolves with every answer, also with an error. */
export async function sendQuery(query: QueryRequest): Promise<{ status: number; xml: string }> {
  const { to, service, region, credentials, parameters } = query;
  const body = new URLSearchParams(parameters).toString();
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'http:',
    hostname: 'localhost',
    path: '/',
    headers: { host: 'localhost', 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body,
  });
  const sending = request({ ...to, method: 'POST', path: '/', headers, timeout: TIMEOUT_MS });
  sending.on('timeout', () => sending.destroy(new Error('no answer in time')));
  // The waits below reject on an error. Between and after them, an error without a listener would end the process.
  sending.on('error', () => undefined);
  sending.end(body);
  const [response]: IncomingMessage[] = await once(sending, 'response');
  if (response === undefined) throw new Error('no answer');
  return { status: response.statusCode ?? 500, xml: await text(response) };
}
