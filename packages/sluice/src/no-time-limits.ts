/**
 * For the transaction of an export, which ends with it: no time limit ends a long COPY, or a session that waits for S3 or
 * for a lock. A lock_timeout stays. (There is a transaction_timeout since 17.)
 */
export const NO_TIME_LIMITS = `
  SET LOCAL statement_timeout = 0;
  SET LOCAL idle_in_transaction_session_timeout = 0;
  SELECT pg_catalog.set_config('transaction_timeout', '0', true)
  WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL`;
