/**
 * The errors of the API, with their HTTP status.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_AddRoleToDBCluster.html and the others' "Errors";
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/CommonErrors.html
 */
const HTTP_STATUS = {
  DBClusterNotFoundFault: 404,
  DBClusterRoleAlreadyExists: 400,
  DBClusterRoleNotFound: 404,
  DBClusterRoleQuotaExceeded: 400,
  DBInstanceNotFound: 404,
  DBInstanceRoleAlreadyExists: 400,
  DBInstanceRoleNotFound: 404,
  DBInstanceRoleQuotaExceeded: 400,
  InvalidDBClusterStateFault: 400,
  InvalidDBInstanceState: 400,
  InvalidParameterValue: 400,
  MissingParameter: 400,
  InvalidAction: 400,
  MissingAction: 400,
  MalformedQueryString: 404,
  RequestEntityTooLarge: 413,
  MissingAuthenticationToken: 403,
  IncompleteSignature: 400,
  InvalidClientTokenId: 403,
  SignatureDoesNotMatch: 403,
  RequestExpired: 400,
  ExpiredToken: 403,
  AccessDenied: 403,
  InternalFailure: 500,
} as const;

export type RdsErrorCode = keyof typeof HTTP_STATUS;

/** An error that the API answers with. */
export class RdsError extends Error {
  readonly code: RdsErrorCode;

  constructor(code: RdsErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'RdsError';
    this.code = code;
  }

  get status(): number {
    return HTTP_STATUS[this.code];
  }
}
