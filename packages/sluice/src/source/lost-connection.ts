import type { Client } from 'pg';
import { endsSession, isDatabaseError } from '../database-error.ts';
import { SluiceError } from '../errors.ts';

/** @param cause what pg, the socket or the server has said about it */
export function lostConnection(cause: Error | undefined): SluiceError {
  return new SluiceError('database_unavailable', 'the connection to PostgreSQL was lost', {
    cause,
    detail: cause === undefined ? undefined : `${cause.message.replace(/\.$/, '')}.`,
    hint: 'Was the server stopped, the session ended, or the network broken? The log of the server says.',
    retryable: true,
  });
}

/** The error of a query, whose connection may be what has failed: pg says so in many ways. */
export function sessionError(error: unknown): unknown {
  if (error instanceof SluiceError || !(error instanceof Error)) return error;
  if (isDatabaseError(error) && !endsSession(error)) return error;
  return lostConnection(error);
}

/** The error of work on a client, which may be that its session was ended or its connection lost. */
export function errorOfSession(client: Client, error: unknown): unknown {
  if (error instanceof SluiceError || !(error instanceof Error)) return error;
  const isLost = isDatabaseError(error) ? endsSession(error) : isClosed(client);
  return isLost ? lostConnection(error) : error;
}

function isClosed({ connection: { stream } }: Client): boolean {
  return 'destroyed' in stream && stream.destroyed;
}
