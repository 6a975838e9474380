/**
 * All kinds of errors of Sluice. The code says which kind of failure it is. Message, detail and hint are for people, in
 * PostgreSQL's style (the message without a full stop, detail and hint as sentences). How a code is shown (SQLSTATE,
 * exit status) is decided where errors leave Sluice, never here.
 */
export type SluiceErrorCode =
  /** An argument of the call cannot be used: a bucket name, a key, a limit. */
  | 'invalid_argument'
  /** A required argument is NULL or missing. */
  | 'missing_argument'
  /** The COPY options do not parse, or are not options of COPY TO. */
  | 'options_syntax'
  /** The parser could not read a text of the caller: it took too long or broke. */
  | 'text_too_complex'
  /** What was asked for needs more than this host has: a newer Node.js. */
  | 'not_supported'
  /** sluice.toml is missing, unreadable or wrong. */
  | 'config_invalid'
  /** Amazon S3 refused a request or could not be reached. */
  | 'upload_failed'
  /** No credentials could be found for the upload. */
  | 'credentials_unavailable'
  /** The role, or another for the same feature, is associated with the cluster already. */
  | 'role_already_associated'
  /** The cluster has no such role for the feature. */
  | 'role_not_associated'
  /** The cluster has as many roles as it may have. */
  | 'role_quota_exceeded'
  /** The export was ended by its caller before it was committed. */
  | 'export_aborted'
  /** Objects are where the export would store its own. */
  | 'destination_exists'
  /** The agent takes no new exports: it is shutting down, or has reached its limit. */
  | 'agent_unavailable'
  /** The database to export from could not be connected to, or the connection to it was lost. */
  | 'database_unavailable'
  /** Redis, by which the machines of a fleet work together, could not be reached. */
  | 'fleet_unavailable'
  /** No table has such a name, or matches such a pattern. */
  | 'table_not_found'
  /** A table has no rows for this role, or on this server: a missing privilege, a materialized view without data. */
  | 'table_unreadable'
  /** Another session keeps a table from being read. */
  | 'table_locked'
  /** The transaction that an export reads in has ended, or its tables are no longer those that it began with. */
  | 'snapshot_lost'
  /** A client of the agent, a database that is exported from, or who shares Redis with a fleet, broke the protocol. */
  | 'protocol_violation'
  /** A bug in Sluice. */
  | 'internal';

export interface SluiceErrorOptions extends ErrorOptions {
  /** One sentence that tells what exactly was found, e.g. what S3 answered. */
  detail?: string | undefined;
  /** One sentence that tells the reader what to do. */
  hint?: string | undefined;
  /** True when the same request may succeed if it is sent again. @default false */
  retryable?: boolean;
}

/** The base of every error that Sluice raises on purpose. */
export class SluiceError extends Error {
  readonly code: SluiceErrorCode;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly retryable: boolean;

  constructor(code: SluiceErrorCode, message: string, options: SluiceErrorOptions = {}) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.detail = options.detail;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
  }
}

export function isSluiceError(value: unknown): value is SluiceError {
  return value instanceof SluiceError;
}

/** The code of an error of Node.js or the operating system, such as ENOENT. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
