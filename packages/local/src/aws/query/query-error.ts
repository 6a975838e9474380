/** An error as Query services answer it. Each service has a subclass for its own errors. */
export class QueryError<Code extends string = string> extends Error {
  readonly code: Code;
  /** The HTTP status. 500 and above are faults of the service (`Receiver`), lower ones of the client (`Sender`). */
  readonly status: number;

  constructor(code: Code, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'QueryError';
    this.code = code;
    this.status = status;
  }
}

/** A parameter that breaks a rule, with the message that AWS's services use for it. */
export function validationError(message: string): QueryError {
  return new QueryError('ValidationError', 400, message);
}

/** @param value undefined when the parameter is missing */
export function constraintError(
  parameter: string,
  value: string | undefined,
  constraint: string,
): QueryError {
  const name = parameter.charAt(0).toLowerCase() + parameter.slice(1);
  const shown = value === undefined ? 'null' : `'${value}'`;
  return validationError(
    `1 validation error detected: Value ${shown} at '${name}' failed to satisfy constraint: Member must ${constraint}`,
  );
}
