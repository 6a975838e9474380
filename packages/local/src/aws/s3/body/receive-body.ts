import type { AwsRequest } from '../../http/aws-request.ts';
import type { VerifiedSignature } from '../../identity.ts';
import { checksumAlgorithms, type ChecksumAlgorithm } from '../checksums/checksum-algorithms.ts';
import { createDigest, type DigestName } from '../checksums/digest.ts';
import { S3Error } from '../s3-error.ts';
import { AwsChunkedDecoder, incomplete } from './aws-chunked-decoder.ts';
import { ChunkSignatures } from './chunk-signatures.ts';
import { readAnnouncedChecksum, readTrailingChecksum, type AnnouncedChecksum } from './expected-checksum.ts';
import type { PayloadKind } from './payload-kind.ts';

export interface ReceiveOptions {
  readonly maxBytes: number;
  /** Digests that the operation needs, in addition to those that the client wants checked. */
  readonly digests?: (
    announced: AnnouncedChecksum | undefined,
    md5Announced: boolean,
  ) => readonly DigestName[];
  /** Receives the body piece by piece. If it returns a promise, it must resolve before the next piece. */
  readonly write: (piece: Buffer) => Promise<void> | undefined;
  /** Refuse a body without a length. @default true */
  readonly needsLength?: boolean;
  /** Whether the x-amz-checksum-* headers are of the body or of an object. @default 'of the body' */
  readonly checksumHeaders?: 'of the body' | 'of the object';
}

/** A body that has arrived completely, and passed all checks. */
export interface ReceivedBody {
  readonly sizeBytes: number;
  readonly digests: ReadonlyMap<DigestName, Buffer>;
  /** The checksum that the client sent, base64. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
  readonly md5Announced: boolean;
}

/**
 * Reads the body of a request, decodes it, and checks everything that the client said about it: length, Content-MD5,
 * x-amz-checksum-* as header or trailer, x-amz-content-sha256 and the signatures of chunks.
 * @throws S3Error, SigV4Error
 */
export async function receiveBody(
  request: AwsRequest,
  payload: PayloadKind,
  verified: VerifiedSignature,
  options: ReceiveOptions,
): Promise<ReceivedBody> {
  const announcedBytes = readLength(request, payload, options.needsLength ?? true);
  if (announcedBytes !== undefined && announcedBytes > options.maxBytes)
    throw tooLarge(announcedBytes, options.maxBytes);
  const contentMd5 = readContentMd5(request);
  const announced = options.checksumHeaders === 'of the object' ? undefined : readAnnouncedChecksum(request);

  const wanted = new Set(options.digests?.(announced, contentMd5 !== undefined));
  if (contentMd5 !== undefined) wanted.add('md5');
  if (announced !== undefined) wanted.add(checksumAlgorithms[announced.algorithm].digest);
  if (payload.kind === 'sha256') wanted.add('sha256');
  const running = [...wanted].map((name) => ({ name, digest: createDigest(name) }));

  const decoder =
    payload.kind === 'chunked'
      ? new AwsChunkedDecoder(payload.signed ? new ChunkSignatures(verified) : undefined)
      : undefined;
  let sizeBytes = 0;
  const most = announcedBytes ?? options.maxBytes;
  for await (const bytes of request.takeBody()) {
    for (const piece of decoder?.decode(bytes) ?? [bytes]) {
      sizeBytes += piece.length;
      if (sizeBytes > most) throw announcedBytes === undefined ? tooLarge(sizeBytes, most) : incomplete();
      for (const { digest } of running) digest.update(piece);
      const written = options.write(piece);
      if (written !== undefined) await written;
    }
  }
  decoder?.end();
  if (announcedBytes !== undefined && sizeBytes !== announcedBytes) throw incomplete();

  const digests = new Map(running.map(({ name, digest }) => [name, digest.digest()]));
  if (payload.kind === 'sha256') checkSha256(payload.hex, digests);
  if (contentMd5 !== undefined) checkMd5(contentMd5, digests);
  const checksum = announced && {
    algorithm: announced.algorithm,
    value: announced.value ?? readTrailingChecksum(announced, decoder?.trailers ?? new Map()),
  };
  if (checksum !== undefined) checkChecksum(checksum.algorithm, checksum.value, digests);
  return { sizeBytes, digests, checksum, md5Announced: contentMd5 !== undefined };
}

/** The length of the body without its encoding. */
function readLength(request: AwsRequest, payload: PayloadKind, needed: boolean): number | undefined {
  const text = request.header(payload.kind === 'chunked' ? 'x-amz-decoded-content-length' : 'content-length');
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  if (!needed) return undefined;
  // S3 accepts chunked transfer encoding only with aws-chunked, where a header gives the length of the decoded data.
  if (payload.kind !== 'chunked' && request.header('transfer-encoding') !== undefined) {
    throw new S3Error(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented.',
      { details: { Header: 'Transfer-Encoding' } },
    );
  }
  throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
}

function readContentMd5(request: AwsRequest): Buffer | undefined {
  const header = request.header('content-md5');
  if (header === undefined) return undefined;
  const md5 = Buffer.from(header, 'base64');
  if (md5.length === 16) return md5;
  throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.', {
    details: { 'Content-MD5': header },
  });
}

function checkMd5(expected: Buffer, digests: ReadonlyMap<DigestName, Buffer>): void {
  const computed = digests.get('md5');
  if (computed?.equals(expected) === true) return;
  throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.', {
    details: {
      ExpectedDigest: expected.toString('base64'),
      CalculatedDigest: computed?.toString('base64') ?? '',
    },
  });
}

function checkSha256(expected: string, digests: ReadonlyMap<DigestName, Buffer>): void {
  const computed = digests.get('sha256')?.toString('hex') ?? '';
  if (computed === expected) return;
  throw new S3Error(
    'XAmzContentSHA256Mismatch',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    {
      details: { ClientComputedContentSHA256: expected, S3ComputedContentSHA256: computed },
    },
  );
}

function checkChecksum(
  algorithm: ChecksumAlgorithm,
  expected: string,
  digests: ReadonlyMap<DigestName, Buffer>,
): void {
  if (digests.get(checksumAlgorithms[algorithm].digest)?.toString('base64') === expected) return;
  throw badChecksum(algorithm);
}

export function badChecksum(algorithm: ChecksumAlgorithm): S3Error {
  return new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
}

function tooLarge(proposedBytes: number, maxBytes: number): S3Error {
  return new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    details: { ProposedSize: String(proposedBytes), MaxSizeAllowed: String(maxBytes) },
  });
}
