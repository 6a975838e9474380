import { isSluiceError, type SluiceErrorCode } from '../errors.ts';
import { printable } from '../printable.ts';

/**
 * The SQLSTATE of each error code; no other place decides how our errors look in SQL.
 * Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SQL_STATES = {
  invalid_argument: '22023', // invalid_parameter_value
  missing_argument: '22004', // null_value_not_allowed
  options_syntax: '42601', // syntax_error
  text_too_complex: '54001', // statement_too_complex
  not_supported: '0A000', // feature_not_supported
  config_invalid: 'F0000', // config_file_error
  upload_failed: '58000', // system_error
  credentials_unavailable: '28000', // invalid_authorization_specification
  role_already_associated: '42710', // duplicate_object
  role_not_associated: '42704', // undefined_object
  role_quota_exceeded: '54000', // program_limit_exceeded
  export_aborted: '57014', // query_canceled
  destination_exists: '42710', // duplicate_object
  agent_unavailable: '57P03', // cannot_connect_now
  database_unavailable: '08006', // connection_failure
  fleet_unavailable: '08001', // sqlclient_unable_to_establish_sqlconnection
  table_not_found: '42P01', // undefined_table
  table_unreadable: '42501', // insufficient_privilege
  table_locked: '55P03', // lock_not_available
  snapshot_lost: '55000', // object_not_in_prerequisite_state
  protocol_violation: '08P01', // protocol_violation
  internal: '58000', // system_error
} as const satisfies Record<SluiceErrorCode, string>;

/** An error as SQL shows it; absent fields are left out. */
export interface SqlError {
  sqlstate: string;
  message: string;
  detail?: string;
  hint?: string;
}

export function toSqlError(error: unknown): SqlError {
  if (!isSluiceError(error)) {
    return {
      sqlstate: SQL_STATES.internal,
      message: 'the Sluice agent failed',
      detail: printable(error instanceof Error ? error.message : String(error)),
      hint: "The agent's log has the whole error.",
    };
  }
  return {
    sqlstate: SQL_STATES[error.code],
    message: printable(error.message),
    ...(error.detail === undefined ? {} : { detail: printable(error.detail) }),
    ...(error.hint === undefined ? {} : { hint: printable(error.hint) }),
  };
}
