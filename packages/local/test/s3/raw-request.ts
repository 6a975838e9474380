import { createHash, createHmac } from 'node:crypto';
import { request } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';
import { ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY } from './test-server.ts';

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface RawRequest {
  readonly port: number;
  readonly method: string;
  /** The path exactly as it is sent, already percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** @default of `body` */
  readonly payloadHash?: string;
  readonly signingDate?: Date;
  readonly region?: string;
  /** @default 's3' */
  readonly service?: string;
  readonly credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** Changes to the headers after signing; undefined removes a header. */
  readonly afterSigning?: Readonly<Record<string, string | undefined>>;
}

type SourceData = string | ArrayBuffer | ArrayBufferView;

/** SHA-256 and HMAC with the interface that the signer needs. */
class Sha256 {
  readonly #hash;

  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: SourceData): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }
}

function bytesOf(data: SourceData): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** Signs a request with AWS's own signer, and sends it exactly as written. */
export async function sendSigned(raw: RawRequest): Promise<RawResponse> {
  const headers = await signHeaders(raw);
  for (const [name, value] of Object.entries(raw.afterSigning ?? {})) {
    if (value === undefined) delete headers[name];
    else headers[name] = value;
  }
  return sendUnsigned({ ...raw, headers });
}

export async function signHeaders(raw: RawRequest): Promise<Record<string, string>> {
  const signer = new SignatureV4({
    service: raw.service ?? 's3',
    region: raw.region ?? REGION,
    credentials: raw.credentials ?? { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const payloadHash =
    raw.payloadHash ??
    createHash('sha256')
      .update(raw.body ?? '')
      .digest('hex');
  const signed = await signer.sign(
    {
      method: raw.method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path: raw.path,
      query: { ...raw.query },
      headers: { host: `127.0.0.1:${raw.port}`, 'x-amz-content-sha256': payloadHash, ...raw.headers },
    },
    { signingDate: raw.signingDate ?? new Date() },
  );
  return signed.headers;
}

/** Sends a request exactly as written. */
export function sendUnsigned(raw: RawRequest): Promise<RawResponse> {
  const query = Object.entries(raw.query ?? {}).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  const target = query.length === 0 ? raw.path : `${raw.path}?${query.join('&')}`;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: raw.port,
        method: raw.method,
        path: target,
        headers: raw.headers,
        agent: false,
      },
      (incoming) => {
        let body = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (text: string) => (body += text));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body,
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(raw.body);
  });
}

/** The `<Code>` of an error. */
export function errorCode(response: RawResponse): string | undefined {
  return /<Code>(.*?)<\/Code>/.exec(response.body)?.[1];
}
