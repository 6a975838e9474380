/** An error as the services of the Query protocol answer it; the base of each service's own family. */
export class QueryError<Code extends string = string> extends Error {
  readonly code: Code;
  /** The HTTP status. From 500 on the fault is the service's (`Receiver`), below it is the client's (`Sender`). */
  readonly status: number;

  constructor(code: Code, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'QueryError';
    this.code = code;
    this.status = status;
  }
}

/** A parameter that breaks its rules, in the words of the services' common validation. */
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
