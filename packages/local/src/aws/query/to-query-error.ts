import { InvalidUriError } from '../http/percent-encoding.ts';
import { MalformedPolicyDocumentError } from '../iam/policy/malformed-policy-error.ts';
import { PolicySizeExceededError } from '../iam/policy/policy-size.ts';
import { SigV4Error, type SigV4Failure } from '../sigv4/sigv4-error.ts';
import { QueryError } from './query-error.ts';

interface Answer {
  readonly code: string;
  readonly status: number;
  /** @default the message of the SigV4Error */
  readonly message?: string;
}

const INCOMPLETE = { code: 'IncompleteSignature', status: 400 };
const MISMATCH = { code: 'SignatureDoesNotMatch', status: 403 };
const INVALID_TOKEN = {
  code: 'InvalidClientTokenId',
  status: 403,
  message: 'The security token included in the request is invalid.',
};

/** https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html */
const answers: Readonly<Record<SigV4Failure, Answer>> = {
  anonymous: {
    code: 'MissingAuthenticationToken',
    status: 403,
    message: 'Request is missing Authentication Token',
  },
  'several-signatures': INCOMPLETE,
  'unsupported-scheme': INCOMPLETE,
  'malformed-header': INCOMPLETE,
  'malformed-query': INCOMPLETE,
  'missing-date': INCOMPLETE,
  'unknown-access-key': INVALID_TOKEN,
  // Clients look for this code and these words, correct their clock and try again.
  'clock-skew': MISMATCH,
  'url-expired': MISMATCH,
  'wrong-token': INVALID_TOKEN,
  'token-expired': {
    code: 'ExpiredToken',
    status: 403,
    message: 'The security token included in the request is expired',
  },
  'unsigned-headers': MISMATCH,
  'signature-mismatch': {
    ...MISMATCH,
    message:
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  },
};

/** Any error as a Query service answers it; what is not meant for the client becomes InternalFailure. */
export function toQueryError(error: unknown): QueryError {
  if (error instanceof QueryError) return error;
  const options = { cause: error };
  if (error instanceof InvalidUriError) {
    return new QueryError('MalformedQueryString', 404, 'The query string contains a syntax error.', options);
  }
  if (error instanceof MalformedPolicyDocumentError) {
    return new QueryError(error.code, 400, error.message, options);
  }
  if (error instanceof PolicySizeExceededError) {
    return new QueryError(error.code, 409, error.message, options);
  }
  if (error instanceof SigV4Error) {
    const { code, status, message } = answers[error.failure];
    return new QueryError(code, status, message ?? messageOf(error), options);
  }
  return new QueryError(
    'InternalFailure',
    500,
    'The request processing has failed because of an unknown error, exception or failure.',
    options,
  );
}

function messageOf({ failure, message, details }: SigV4Error): string {
  if (failure !== 'clock-skew') return message;
  const { RequestTime = '', ServerTime = '' } = details;
  const now = ServerTime.replaceAll(/[-:]|\.\d{3}/g, '');
  return RequestTime < now
    ? `Signature expired: ${RequestTime} is now earlier than ${now} (less 15 min.)`
    : `Signature not yet current: ${RequestTime} is still later than ${now} (plus 15 min.)`;
}
