/**
 * The parts of AWS protocols that Sluice and its local stack share: Signature Version 4 as a server checks it, and the
 * XML of the Query protocol. Internal: it is exported for `@sluice/local` of the same version, and may change in any
 * release.
 */
export { InvalidUriError, percentDecode, uriEncode } from './percent-encoding.ts';
export { QueryParameters } from './query-parameters.ts';
export { signatureAnswer } from './query/signature-answer.ts';
export { writeError, writeResult } from './query/write-answer.ts';
export { RequestHeaders } from './request-headers.ts';
export { Sha256 } from './sigv4/sha256.ts';
export { readSignatureClaim } from './sigv4/signature-claim.ts';
export type { SignedRequest } from './sigv4/signed-request.ts';
export { credentialScope, hmacHex } from './sigv4/signing-key.ts';
export { SigV4Error, type SigV4Failure } from './sigv4/sigv4-error.ts';
export {
  sameText,
  verifySignature,
  type CredentialLookup,
  type SigningCredentials,
  type VerifiedSignature,
} from './sigv4/verify-signature.ts';
export { writeDocument, type XmlContent, type XmlElement } from './xml/write-document.ts';
