import { formatAmzDate } from '../sigv4/amz-date.ts';
import type { SigV4Error, SigV4Failure } from '../sigv4/sigv4-error.ts';

const STATUS = {
  MissingAuthenticationToken: 403,
  IncompleteSignature: 400,
  InvalidClientTokenId: 403,
  SignatureDoesNotMatch: 403,
  ExpiredToken: 403,
} as const;

type SignatureErrorCode = keyof typeof STATUS;

/** The answer of a Query service to a signature that it refuses. */
export interface SignatureAnswer {
  readonly code: SignatureErrorCode;
  readonly status: number;
  readonly message: string;
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html */
const CODES: Readonly<Record<SigV4Failure, SignatureErrorCode>> = {
  anonymous: 'MissingAuthenticationToken',
  'several-signatures': 'IncompleteSignature',
  'unsupported-scheme': 'IncompleteSignature',
  'malformed-header': 'IncompleteSignature',
  'malformed-query': 'IncompleteSignature',
  'wrong-scope': 'SignatureDoesNotMatch',
  'missing-date': 'IncompleteSignature',
  'unknown-access-key': 'InvalidClientTokenId',
  // Clients recognise this code and message, correct their clock and try again.
  'clock-skew': 'SignatureDoesNotMatch',
  'url-expired': 'SignatureDoesNotMatch',
  'wrong-token': 'InvalidClientTokenId',
  'token-expired': 'ExpiredToken',
  'unsigned-headers': 'SignatureDoesNotMatch',
  'signature-mismatch': 'SignatureDoesNotMatch',
};

export function signatureAnswer(error: SigV4Error): SignatureAnswer {
  const code = CODES[error.failure];
  return { code, status: STATUS[code], message: messageOf(error) };
}

/** The message that AWS's Query services give, where it is known. */
function messageOf({ failure, message, details }: SigV4Error): string {
  switch (failure) {
    case 'anonymous':
      return 'Request is missing Authentication Token';
    case 'unknown-access-key':
    case 'wrong-token':
      return 'The security token included in the request is invalid.';
    case 'token-expired':
      return 'The security token included in the request is expired';
    case 'signature-mismatch':
      return 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
    case 'clock-skew':
      return clockSkewMessage(details);
    default:
      return message;
  }
}

function clockSkewMessage({ RequestTime = '', ServerTime = '' }: SigV4Error['details']): string {
  const now = formatAmzDate(new Date(ServerTime));
  return RequestTime < now
    ? `Signature expired: ${RequestTime} is now earlier than ${now} (less 15 min.)`
    : `Signature not yet current: ${RequestTime} is still later than ${now} (plus 15 min.)`;
}
