import type { AwsOperation } from './aws-operation.ts';

/** An error document in the form of S3 or STS. */
export function errorDocument(operation: AwsOperation, code: string): string {
  const error = `<Code>${code}</Code><Message>injected: ${code}</Message>`;
  return operation === 'AssumeRole'
    ? `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>${error}</Error><RequestId>4442587F-B7D0-A2F9</RequestId></ErrorResponse>`
    : `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${error}<RequestId>4442587FB7D0A2F9</RequestId></Error>`;
}
