import { uriEncode } from '../aws-protocol/percent-encoding.ts';
import type { Body } from './body.ts';
import { bodyLength, checksumOf } from './body.ts';
import { objectPath, type S3Connection } from './connection.ts';
import { emptyAnswer } from './empty-answer.ts';
import { withRetries } from './retries.ts';
import type { S3Target } from './s3-target.ts';
import { sendPut } from './send.ts';

/** Where the body's SHA-256 would stand; see `putBytes`. */
const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

export interface PutBytes {
  target: S3Target;
  query: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string>>;
  body: Body;
  signal?: AbortSignal | undefined;
}

export interface StoredBytes {
  etag: string;
  /** The CRC32 that was sent along, base64; undefined without checksums. */
  checksum: string | undefined;
  /** Of the object, in a bucket with versions. */
  versionId: string | undefined;
}

/**
 * The hot path: PutObject and UploadPart, sent by hand. The headers are signed (SigV4), the bytes are not
 * (`UNSIGNED-PAYLOAD`): TLS keeps them from being changed on the way, and the CRC32 from being damaged, at a fifth of the
 * time of a SHA-256. Amazon S3 takes this over plain http as well, where nothing then protects the bytes from being
 * changed; a bucket policy may refuse it (condition key `s3:x-amz-content-sha256`), with AccessDenied.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export async function putBytes(connection: S3Connection, put: PutBytes): Promise<StoredBytes> {
  const { target, body, signal } = put;
  const endpoint = await connection.endpointOf(target.bucket);
  const path = objectPath(endpoint, target.key);
  const checksum = connection.checksums === 'crc32' ? checksumOf(body) : undefined;
  const headers = {
    ...put.headers,
    host: endpoint.host,
    'content-length': String(bodyLength(body)),
    'x-amz-content-sha256': UNSIGNED_PAYLOAD,
    ...(checksum === undefined ? {} : { 'x-amz-checksum-crc32': checksum }),
  };

  const stored = await withRetries(connection, target, signal, async ({ lastFailure }) => {
    const signedHeaders = await connection.signedHeaders({
      method: 'PUT',
      protocol: endpoint.protocol,
      hostname: endpoint.hostname,
      path,
      query: { ...put.query },
      headers,
    });
    const response = await sendPut({
      protocol: endpoint.protocol,
      hostname: endpoint.hostname,
      port: endpoint.port,
      path: withQuery(path, put.query),
      headers: signedHeaders,
      body,
      agent: connection.agentFor(endpoint.protocol),
      connectTimeoutMs: connection.connectTimeoutMs,
      requestTimeoutMs: connection.requestTimeoutMs,
      // A server that refuses a request while its body still comes may break the connection before its answer can be
      // read. Then the next attempt asks first.
      expectContinue: lastFailure?.network === 'reset',
      signal,
    });
    const { etag, 'x-amz-version-id': versionId } = response.headers;
    if (etag === undefined) throw emptyAnswer();
    return { etag, versionId: typeof versionId === 'string' ? versionId : undefined };
  });
  return { ...stored, checksum };
}

function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${uriEncode(value)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}
