import { createHash, createHmac } from 'node:crypto';
import type { SignatureClaim } from './signature-claim.ts';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html#derive-signing-key */
export function deriveSigningKey(secretAccessKey: string, claim: SignatureClaim): Buffer {
  const scope = [claim.scopeDate, claim.region, claim.service, 'aws4_request'];
  return scope.reduce(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
}

export function credentialScope(claim: SignatureClaim): string {
  return `${claim.scopeDate}/${claim.region}/${claim.service}/aws4_request`;
}

export function hmacHex(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

/** SHA-256 of a text whose characters each stand for one byte. */
export function sha256HexOfLatin1(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}
