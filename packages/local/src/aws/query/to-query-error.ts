import { InvalidUriError, SigV4Error, signatureAnswer } from 'sluice/aws-protocol';
import { MalformedPolicyDocumentError } from '../iam/policy/malformed-policy-error.ts';
import { PolicySizeExceededError } from '../iam/policy/policy-size.ts';
import { QueryError } from './query-error.ts';

/** Turns any error into a Query service's answer. An error that is not meant for the client becomes InternalFailure. */
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
    const { code, status, message } = signatureAnswer(error);
    return new QueryError(code, status, message, options);
  }
  return new QueryError(
    'InternalFailure',
    500,
    'The request processing has failed because of an unknown error, exception or failure.',
    options,
  );
}
