/** A policy document that IAM refuses; the message is the one IAM answers with. */
export class MalformedPolicyDocumentError extends Error {
  /** The code of the AWS error. For a bucket policy S3 uses the code `MalformedPolicy`. */
  readonly code = 'MalformedPolicyDocument';
  readonly retryable = false;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MalformedPolicyDocumentError';
  }
}

export function syntaxError(options?: ErrorOptions): MalformedPolicyDocumentError {
  return new MalformedPolicyDocumentError('Syntax errors in policy.', options);
}

export function refuse(message: string): never {
  throw new MalformedPolicyDocumentError(message);
}
