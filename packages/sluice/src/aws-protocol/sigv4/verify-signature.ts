import { timingSafeEqual } from 'node:crypto';
import { canonicalRequest } from './canonical-request.ts';
import { SigV4Error } from './sigv4-error.ts';
import type { SignatureClaim } from './signature-claim.ts';
import type { SignedRequest } from './signed-request.ts';
import { credentialScope, deriveSigningKey, hmacHex, sha256HexOfLatin1 } from './signing-key.ts';

/** An access key, with what is needed to verify its signatures. */
export interface SigningCredentials {
  readonly secretAccessKey: string;
  /** Set for temporary credentials: requests must carry this token. */
  readonly sessionToken?: string | undefined;
  /** When temporary credentials expire. */
  readonly expiresAt?: Date | undefined;
}

/**
 * Finds the credentials of an access key id; undefined when no such key exists.
 * @throws SigV4Error wrong-token
 */
export type CredentialLookup<Credentials extends SigningCredentials = SigningCredentials> = (
  accessKeyId: string,
  sessionToken: string | undefined,
) => Credentials | undefined | Promise<Credentials | undefined>;

/** The result of a successful verification. */
export interface VerifiedSignature<Credentials extends SigningCredentials = SigningCredentials> {
  readonly claim: SignatureClaim;
  readonly credentials: Credentials;
  /** The key with which the chunks of an aws-chunked body are signed. */
  readonly signingKey: Buffer;
}

export interface VerifyOptions<Credentials extends SigningCredentials> {
  readonly credentials: CredentialLookup<Credentials>;
  /** The last line of the canonical request: the hash of the body, or a constant such as UNSIGNED-PAYLOAD. */
  readonly payloadHash: string;
  /**
   * The scope that the signature must have: one made for another service or Region must not be usable here. @default
   * any
   */
  readonly scope?: { readonly service: string; readonly region: string };
  readonly now?: Date;
}

const LARGEST_SKEW_MS = 15 * 60 * 1000;

/**
 * Verifies a request: its signature, its time, its session token, and that all headers are signed that must be.
 * @throws SigV4Error
 */
export async function verifySignature<Credentials extends SigningCredentials>(
  request: SignedRequest,
  claim: SignatureClaim,
  options: VerifyOptions<Credentials>,
): Promise<VerifiedSignature<Credentials>> {
  const now = options.now ?? new Date();
  const credentials = await options.credentials(claim.accessKeyId, claim.sessionToken);
  if (credentials === undefined) {
    throw new SigV4Error(
      'unknown-access-key',
      'The AWS Access Key Id you provided does not exist in our records.',
      {
        details: { AWSAccessKeyId: claim.accessKeyId },
      },
    );
  }
  if (options.scope !== undefined) checkScope(claim, options.scope);
  checkClock(claim, now);
  checkToken(claim, credentials, now);
  checkSignedHeaders(request, claim);

  const canonical = canonicalRequest(request, claim, options.payloadHash);
  const stringToSign = [
    'AWS4-HMAC-SHA256',
    claim.amzDate,
    credentialScope(claim),
    sha256HexOfLatin1(canonical),
  ].join('\n');
  const signingKey = deriveSigningKey(credentials.secretAccessKey, claim);
  if (!sameText(hmacHex(signingKey, stringToSign), claim.signature)) {
    throw new SigV4Error(
      'signature-mismatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      {
        details: {
          AWSAccessKeyId: claim.accessKeyId,
          StringToSign: stringToSign,
          SignatureProvided: claim.signature,
          CanonicalRequest: canonical,
        },
      },
    );
  }
  return { claim, credentials, signingKey };
}

/** Compares secrets in constant time. */
export function sameText(a: string, b: string): boolean {
  const [bytesA, bytesB] = [Buffer.from(a), Buffer.from(b)];
  return bytesA.length === bytesB.length && timingSafeEqual(bytesA, bytesB);
}

function checkScope(claim: SignatureClaim, { service, region }: { service: string; region: string }): void {
  if (claim.service !== service) {
    throw new SigV4Error('wrong-scope', `Credential should be scoped to correct service: '${service}'.`);
  }
  if (claim.region !== region) {
    throw new SigV4Error('wrong-scope', `Credential should be scoped to a valid region: '${region}'.`);
  }
}

function checkClock(claim: SignatureClaim, now: Date): void {
  const ageMs = now.getTime() - claim.signedAt.getTime();
  if (claim.expiresSeconds !== undefined) {
    const endsMs = claim.signedAt.getTime() + claim.expiresSeconds * 1000;
    if (now.getTime() > endsMs) {
      throw new SigV4Error('url-expired', 'Request has expired', {
        details: {
          'X-Amz-Expires': String(claim.expiresSeconds),
          Expires: new Date(endsMs).toISOString(),
          ServerTime: now.toISOString(),
        },
      });
    }
    if (ageMs < -LARGEST_SKEW_MS) throw new SigV4Error('url-expired', 'Request is not yet valid');
  } else if (Math.abs(ageMs) > LARGEST_SKEW_MS) {
    throw new SigV4Error(
      'clock-skew',
      'The difference between the request time and the current time is too large.',
      {
        details: {
          RequestTime: claim.amzDate,
          ServerTime: now.toISOString(),
          MaxAllowedSkewMilliseconds: String(LARGEST_SKEW_MS),
        },
      },
    );
  }
  if (!claim.amzDate.startsWith(claim.scopeDate)) {
    const failure = claim.from === 'header' ? 'malformed-header' : 'malformed-query';
    throw new SigV4Error(
      failure,
      `Invalid credential date "${claim.scopeDate}". This date is not the same as X-Amz-Date: "${claim.amzDate.slice(0, 8)}".`,
    );
  }
}

function checkToken(claim: SignatureClaim, credentials: SigningCredentials, now: Date): void {
  if (credentials.sessionToken === undefined) {
    if (claim.sessionToken !== undefined && claim.sessionToken !== '') throw wrongToken(claim);
    return;
  }
  if (claim.sessionToken === undefined) {
    // For AWS, a temporary access key without its session token does not exist.
    throw new SigV4Error(
      'unknown-access-key',
      'The AWS Access Key Id you provided does not exist in our records.',
      {
        details: { AWSAccessKeyId: claim.accessKeyId },
      },
    );
  }
  if (!sameText(credentials.sessionToken, claim.sessionToken)) throw wrongToken(claim);
  if (credentials.expiresAt !== undefined && credentials.expiresAt.getTime() <= now.getTime()) {
    throw new SigV4Error('token-expired', 'The provided token has expired.', {
      details: { 'Token-0': claim.sessionToken },
    });
  }
}

function wrongToken(claim: SignatureClaim): SigV4Error {
  return new SigV4Error('wrong-token', 'The provided token is malformed or otherwise invalid.', {
    details: { 'Token-0': claim.sessionToken ?? '' },
  });
}

/** The host and every x-amz-* header must be signed. */
function checkSignedHeaders(request: SignedRequest, claim: SignatureClaim): void {
  const mustBeSigned = ['host', ...request.headers.names().filter((name) => name.startsWith('x-amz-'))];
  const missing = mustBeSigned.filter((name) => !claim.signedHeaders.includes(name));
  // In a presigned request x-amz-content-sha256 may stay unsigned: there it is not a part of the signature.
  const unsigned =
    claim.from === 'header' ? missing : missing.filter((name) => name !== 'x-amz-content-sha256');
  if (unsigned.length > 0) {
    throw new SigV4Error(
      'unsigned-headers',
      'There were headers present in the request which were not signed',
      {
        details: { HeadersNotSigned: unsigned.join(', ') },
      },
    );
  }
}
