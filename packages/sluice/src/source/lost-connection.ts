import type { Client } from 'pg';
import { SluiceError } from '../errors.ts';

/**
 * SQLSTATEs with which a server ends a session: connection exceptions, operator intervention but for a cancelled query, and
 * its time limits for idle sessions and transactions.
 * Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const ENDS_SESSION = /^(?:08|57P|25P0[34])/;

/** @param cause what pg, the socket or the server has said about it */
export function lostConnection(cause: Error | undefined): SluiceError {
  return new SluiceError('database_unavailable', 'the connection to PostgreSQL was lost', {
    cause,
    detail: cause === undefined ? undefined : `${cause.message.replace(/\.$/, '')}.`,
    hint: 'Was the server stopped, the session ended, or the network broken? The log of the server says.',
    retryable: true,
  });
}

/** An error that the server has sent, and not one of pg or of the connection. */
export function isDatabaseError(
  error: unknown,
): error is Error & { code?: string; detail?: string; hint?: string } {
  return error instanceof Error && 'severity' in error;
}

/** The error of a query, whose connection may be what has failed: pg says so in many ways. */
export function sessionError(error: unknown): unknown {
  if (error instanceof SluiceError || !(error instanceof Error)) return error;
  if (isDatabaseError(error) && !ENDS_SESSION.test(error.code ?? '')) return error;
  return lostConnection(error);
}

/** The error of work on a client, which may be that its session was ended or its connection lost. */
export function errorOfSession(client: Client, error: unknown): unknown {
  if (error instanceof SluiceError || !(error instanceof Error)) return error;
  const isLost = isDatabaseError(error) ? ENDS_SESSION.test(error.code ?? '') : isClosed(client);
  return isLost ? lostConnection(error) : error;
}

function isClosed({ connection: { stream } }: Client): boolean {
  return 'destroyed' in stream && stream.destroyed;
}
