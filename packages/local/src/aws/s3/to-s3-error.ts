import { InvalidUriError, SigV4Error, type SigV4Failure } from 'sluice/aws-protocol';
import { S3Error, type S3ErrorCode } from './s3-error.ts';

const codeOfFailure: Readonly<Record<SigV4Failure, S3ErrorCode>> = {
  anonymous: 'AccessDenied',
  'several-signatures': 'InvalidArgument',
  'unsupported-scheme': 'InvalidRequest',
  'malformed-header': 'AuthorizationHeaderMalformed',
  'malformed-query': 'AuthorizationQueryParametersError',
  'wrong-scope': 'AuthorizationHeaderMalformed',
  'missing-date': 'AccessDenied',
  'unknown-access-key': 'InvalidAccessKeyId',
  'clock-skew': 'RequestTimeTooSkewed',
  'url-expired': 'AccessDenied',
  'wrong-token': 'InvalidToken',
  'token-expired': 'ExpiredToken',
  'unsigned-headers': 'AccessDenied',
  'signature-mismatch': 'SignatureDoesNotMatch',
};

/** Turns any error into an answer of S3. An error that is not meant for the client becomes InternalError. */
export function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  if (error instanceof InvalidUriError) {
    return new S3Error('InvalidURI', "Couldn't parse the specified URI.", { cause: error });
  }
  if (error instanceof SigV4Error) {
    const code = codeOfFailure[error.failure];
    return new S3Error(code, messageOf(error), { cause: error, details: error.details });
  }
  return new S3Error('InternalError', 'We encountered an internal error. Please try again.', {
    cause: error,
  });
}

function messageOf({ failure, message }: SigV4Error): string {
  if (failure === 'anonymous') return 'Access Denied';
  if (failure === 'malformed-header') return `The authorization header is malformed; ${message}`;
  return message;
}
