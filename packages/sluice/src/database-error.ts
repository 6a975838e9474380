/** An error that a PostgreSQL server has sent, and not one of pg or of the connection. */
export function isDatabaseError(
  error: unknown,
): error is Error & { code?: string; detail?: string; hint?: string } {
  return error instanceof Error && 'severity' in error;
}

/** The SQLSTATE of an error that the server has sent. */
export function sqlStateOf(error: unknown): string | undefined {
  return isDatabaseError(error) && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Connection exceptions, operator intervention but for a cancelled query, and the time limits for idle sessions and
 * transactions. 08001 is left out: a session that was made never ends with it, while a foreign table raises it when its
 * own server cannot be reached. (The severity FATAL would say it best, but is sent in the server's language.)
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const ENDS_SESSION = /^(?:08(?!001)|57P|25P0[34])/;

/** Whether the server has ended the session with it. */
export function endsSession(error: unknown): boolean {
  return ENDS_SESSION.test(sqlStateOf(error) ?? '');
}

/** A standby could not go on replaying while a transaction read: it ends the query, or the session if that is idle. */
export function isRecoveryConflict(error: unknown): boolean {
  // serialization_failure. Nothing else raises it in a transaction that only reads, and is not SERIALIZABLE.
  return sqlStateOf(error) === '40001';
}

/** Whether it is none of what was asked, but of the session or its transaction: another one may do the same. */
export function endsTransaction(error: unknown): boolean {
  return endsSession(error) || isRecoveryConflict(error);
}
