import { createHash, timingSafeEqual } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../../s3/sha256.ts';
import { RdsError } from '../rds-error.ts';
import { parseAuthorization, type Authorization } from './authorization.ts';

const SERVICE = 'rds';
const LARGEST_SKEW_MS = 15 * 60_000;

/** A POST to `/`: the only kind of request that the API takes. */
export interface SignedRequest {
  /** By name in lower case; several of one name are joined by commas. */
  headers: ReadonlyMap<string, string>;
  body: Uint8Array;
}

export interface VerifyOptions {
  /** The secret of an access key; undefined when there is no such key. */
  secretOf: (accessKeyId: string) => string | undefined;
  region: string;
  now: Date;
}

/**
 * Checks who signed a request: Signature Version 4 in the Authorization header, over the body and all headers that
 * matter. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 *
 * @returns the access key's id
 * @throws RdsError
 */
export async function verifySignature(request: SignedRequest, options: VerifyOptions): Promise<string> {
  const { headers, body } = request;
  const authorization = parseAuthorization(headers.get('authorization'));
  const { accessKeyId, region } = authorization;
  const secretAccessKey = options.secretOf(accessKeyId);
  // These are permanent keys, which have no session token.
  if (secretAccessKey === undefined || headers.has('x-amz-security-token')) {
    throw new RdsError('InvalidClientTokenId', 'The security token included in the request is invalid.');
  }
  checkScope(authorization, options.region);
  const signingDate = checkDate(headers.get('x-amz-date'), authorization, options.now);
  checkSignedHeaders(headers, authorization);
  const bodyHash = createHash('sha256').update(body).digest('hex');
  if ((headers.get('x-amz-content-sha256') ?? bodyHash) !== bodyHash) throw mismatch();

  const signer = new SignatureV4({
    service: SERVICE,
    region,
    credentials: { accessKeyId, secretAccessKey },
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = Object.fromEntries(
    authorization.signedHeaders.map((name) => [name, headers.get(name) ?? '']),
  );
  const expected = await signer.sign(
    { method: 'POST', protocol: 'http:', hostname: '', path: '/', headers: signed, body },
    { signingDate, signableHeaders: new Set(authorization.signedHeaders) },
  );
  const expectedSignature = /Signature=([0-9a-f]{64})$/.exec(expected.headers['authorization'] ?? '')?.[1];
  if (expectedSignature === undefined || !isSameText(expectedSignature, authorization.signature))
    throw mismatch();
  return accessKeyId;
}

/** A signature for another service or Region, caught elsewhere, is none for this one. */
function checkScope({ service, region }: Authorization, ownRegion: string): void {
  if (service !== SERVICE) {
    throw new RdsError(
      'SignatureDoesNotMatch',
      `Credential should be scoped to correct service: '${SERVICE}'.`,
    );
  }
  if (region !== ownRegion) {
    throw new RdsError(
      'SignatureDoesNotMatch',
      `Credential should be scoped to a valid region: '${ownRegion}'.`,
    );
  }
}

function checkDate(text: string | undefined, { date: scopeDate }: Authorization, now: Date): Date {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '') ?? [];
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (text === undefined || Number.isNaN(date.getTime())) {
    throw new RdsError(
      'IncompleteSignature',
      "Authorization header requires existence of a valid 'X-Amz-Date' header.",
    );
  }
  if (!text.startsWith(scopeDate) || scopeDate.length !== 'YYYYMMDD'.length) {
    throw new RdsError(
      'SignatureDoesNotMatch',
      'Date in Credential scope does not match YYYYMMDD from X-Amz-Date.',
    );
  }
  if (Math.abs(now.getTime() - date.getTime()) > LARGEST_SKEW_MS) {
    throw new RdsError(
      'RequestExpired',
      `The request was signed at ${text}, and it is ${now.toISOString()} here.`,
    );
  }
  return date;
}

function checkSignedHeaders(headers: SignedRequest['headers'], { signedHeaders }: Authorization): void {
  const needed = ['host', 'x-amz-date', ...[...headers.keys()].filter((name) => name.startsWith('x-amz-'))];
  const missing = needed.filter((name) => !signedHeaders.includes(name));
  if (missing.length === 0) return;
  throw new RdsError(
    'SignatureDoesNotMatch',
    `These headers must be signed: ${[...new Set(missing)].join(', ')}.`,
  );
}

/** In a time that does not depend on where they differ. */
function isSameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function mismatch(): RdsError {
  return new RdsError(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}
