import { uriEncode } from '../aws-protocol/percent-encoding.ts';
import type { Body } from './body.ts';
import { bodyLength, checksumOf } from './body.ts';
import { objectPath, type S3Connection } from './connection.ts';
import { emptyAnswer } from './empty-answer.ts';
import { withRetries } from './retries.ts';
import type { S3Target } from './s3-target.ts';
import { sendPut } from './send.ts';

/** Sent in place of the body's SHA-256; see `putBytes`. */
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
  /** The CRC32 that was sent with the bytes, in base64; undefined without checksums. */
  checksum: string | undefined;
  /** The version of the object, in a bucket with versions. */
  versionId: string | undefined;
}

/**
 * The hot path: sends PutObject and UploadPart without the SDK. The headers are signed (SigV4); the bytes are not
 * (`UNSIGNED-PAYLOAD`), because a SHA-256 takes five times as long as a CRC32. TLS protects the bytes against changes
 * on the way, and the CRC32 against damage. Amazon S3 accepts this over plain http, too, where nothing protects the
 * bytes against changes. A bucket policy may forbid unsigned bytes (condition key `s3:x-amz-content-sha256`); S3 then
 * answers AccessDenied.
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
      // A server that refuses a request early may reset the connection while the body is sent, before its answer can be
      // read. After a reset, the next attempt sends the body only when the server has agreed to it.
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
