/** What can go wrong while the local stack is started, run or stopped. */
export type LocalErrorCode =
  /** An option of startLocal or of the command cannot be used. */
  | 'invalid_option'
  /** Another stack already runs on the same state directory. */
  | 'already_running'
  /** No PostgreSQL binaries for this platform, or they could not be fetched. */
  | 'binaries_unavailable'
  /** A directory is not accessible, has the wrong owner, or contains something else. */
  | 'directory_unusable'
  /** A port that was asked for is taken. */
  | 'port_busy'
  /** PostgreSQL did not start or did not stop. */
  | 'postgres_failed'
  /** The agent did not start or did not stop. */
  | 'agent_failed'
  /** The local AWS refused what was asked of it. */
  | 'aws_failed';

export interface LocalErrorOptions extends ErrorOptions {
  /** What exactly was found, e.g. the tail of a log. May have several lines. */
  detail?: string | undefined;
  /** One sentence that tells the reader what to do. */
  hint?: string | undefined;
}

/** The base of every error that the local stack raises on purpose. */
export class LocalError extends Error {
  readonly code: LocalErrorCode;
  readonly detail: string | undefined;
  readonly hint: string | undefined;

  constructor(code: LocalErrorCode, message: string, options: LocalErrorOptions = {}) {
    super(message, options);
    this.name = 'LocalError';
    this.code = code;
    this.detail = options.detail;
    this.hint = options.hint;
  }
}

/** The `code` of a Node system error such as ENOENT, or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
