/** Why a signature was refused. Each service translates it into its own error code and message. */
export type SigV4Failure =
  /** Not signed at all. */
  | 'anonymous'
  /** Signed more than once: two headers, or a header and the query. */
  | 'several-signatures'
  /** Signed by another scheme, such as SigV2. */
  | 'unsupported-scheme'
  /** The Authorization header cannot be read. */
  | 'malformed-header'
  /** The X-Amz-* query parameters of a presigned URL cannot be read. */
  | 'malformed-query'
  /** Made for another service or Region. */
  | 'wrong-scope'
  /** No x-amz-date or Date. */
  | 'missing-date'
  | 'unknown-access-key'
  /** The clocks differ by more than 15 minutes. */
  | 'clock-skew'
  /** The presigned URL has expired. */
  | 'url-expired'
  /** The session token does not belong to the access key. */
  | 'wrong-token'
  /** The temporary credentials have expired. */
  | 'token-expired'
  /** Headers that must be signed are not. */
  | 'unsigned-headers'
  | 'signature-mismatch';

export interface SigV4ErrorOptions extends ErrorOptions {
  /** Facts that AWS adds to the answer, by the name of the XML element. */
  details?: Readonly<Record<string, string>>;
}

export class SigV4Error extends Error {
  readonly failure: SigV4Failure;
  readonly details: Readonly<Record<string, string>>;

  constructor(failure: SigV4Failure, message: string, options: SigV4ErrorOptions = {}) {
    super(message, options);
    this.name = 'SigV4Error';
    this.failure = failure;
    this.details = options.details ?? {};
  }
}
