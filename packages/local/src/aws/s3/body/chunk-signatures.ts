import { createHash } from 'node:crypto';
import { credentialScope, hmacHex, sameText, SigV4Error, type VerifiedSignature } from 'sluice/aws-protocol';

const EMPTY_SHA256 = createHash('sha256').digest('hex');

/**
 * Verifies the chain of signatures of an aws-chunked body: each chunk's signature includes the previous one, the first
 * one the request's signature.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export class ChunkSignatures {
  readonly #verified: VerifiedSignature;
  #previous: string;

  constructor(verified: VerifiedSignature) {
    this.#verified = verified;
    this.#previous = verified.claim.signature;
  }

  /** @throws SigV4Error */
  checkChunk(signature: string | undefined, sha256Hex: string): void {
    this.#check('AWS4-HMAC-SHA256-PAYLOAD', signature, [EMPTY_SHA256, sha256Hex]);
  }

  /**
   * @param trailers `name:value\n` for each
   * @throws SigV4Error
   */
  checkTrailers(signature: string | undefined, trailers: string): void {
    const sha256Hex = createHash('sha256').update(trailers, 'latin1').digest('hex');
    this.#check('AWS4-HMAC-SHA256-TRAILER', signature, [sha256Hex]);
  }

  #check(algorithm: string, signature: string | undefined, hashes: readonly string[]): void {
    const { claim, signingKey } = this.#verified;
    const stringToSign = [algorithm, claim.amzDate, credentialScope(claim), this.#previous, ...hashes].join(
      '\n',
    );
    const expected = hmacHex(signingKey, stringToSign);
    if (signature === undefined || !sameText(expected, signature)) {
      throw new SigV4Error(
        'signature-mismatch',
        'The chunk signature we calculated does not match the signature you provided. Check your key and signing method.',
        { details: { StringToSign: stringToSign, SignatureProvided: signature ?? '' } },
      );
    }
    this.#previous = expected;
  }
}
