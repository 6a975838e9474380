import { QueryError } from '../query/query-error.ts';

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors */
const statusOfCode = {
  AccessDenied: 403,
  MalformedPolicyDocument: 400,
  PackedPolicyTooLarge: 400,
  ValidationError: 400,
} as const;

export type StsErrorCode = keyof typeof statusOfCode;

/** What STS refuses. */
export class StsError extends QueryError<StsErrorCode> {
  constructor(code: StsErrorCode, message: string, options?: ErrorOptions) {
    super(code, statusOfCode[code], message, options);
    this.name = 'StsError';
  }
}
