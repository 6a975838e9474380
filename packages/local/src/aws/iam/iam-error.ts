import { QueryError } from '../query/query-error.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html#API_CreateRole_Errors and the like */
const statusOfCode = {
  AccessDenied: 403,
  DeleteConflict: 409,
  EntityAlreadyExists: 409,
  InvalidInput: 400,
  LimitExceeded: 409,
  MalformedPolicyDocument: 400,
  NoSuchEntity: 404,
  ValidationError: 400,
} as const;

export type IamErrorCode = keyof typeof statusOfCode;

/** What IAM refuses. */
export class IamError extends QueryError<IamErrorCode> {
  constructor(code: IamErrorCode, message: string, options?: ErrorOptions) {
    super(code, statusOfCode[code], message, options);
    this.name = 'IamError';
  }
}

/** @example noSuchEntity('role', 'rds-s3-export-role') */
export function noSuchEntity(kind: string, name: string): IamError {
  return new IamError('NoSuchEntity', `The ${kind} with name ${name} cannot be found.`);
}
