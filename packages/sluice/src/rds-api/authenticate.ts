import { createHash } from 'node:crypto';
import { signatureAnswer } from '../aws-protocol/query/signature-answer.ts';
import { readSignatureClaim } from '../aws-protocol/sigv4/signature-claim.ts';
import type { SignedRequest } from '../aws-protocol/sigv4/signed-request.ts';
import { SigV4Error } from '../aws-protocol/sigv4/sigv4-error.ts';
import { verifySignature } from '../aws-protocol/sigv4/verify-signature.ts';
import { RdsError } from './rds-error.ts';

const SERVICE = 'rds';

export interface AuthenticateOptions {
  /** The secret of an access key; undefined when there is no such key. */
  secretOf: (accessKeyId: string) => string | undefined;
  region: string;
  now: Date;
}

/**
 * Verifies the signature of a request. The signature must cover the body; the hash that the headers name is not
 * trusted.
 *
 * @returns the access key's id
 * @throws RdsError
 */
export async function authenticate(
  request: SignedRequest,
  body: Uint8Array,
  { secretOf, region, now }: AuthenticateOptions,
): Promise<string> {
  try {
    const { claim } = await verifySignature(request, readSignatureClaim(request), {
      // The configured keys are permanent: they have no session token.
      credentials: (accessKeyId) => {
        const secretAccessKey = secretOf(accessKeyId);
        return secretAccessKey === undefined ? undefined : { secretAccessKey };
      },
      payloadHash: createHash('sha256').update(body).digest('hex'),
      scope: { service: SERVICE, region },
      now,
    });
    return claim.accessKeyId;
  } catch (error) {
    throw error instanceof SigV4Error ? refusal(error) : error;
  }
}

function refusal(error: SigV4Error): RdsError {
  const { code, message } = signatureAnswer(error);
  return new RdsError(error.failure === 'clock-skew' ? 'RequestExpired' : code, message, { cause: error });
}
