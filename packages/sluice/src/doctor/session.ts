import { Socket } from 'node:net';
import { Client, type ClientConfig, type QueryResultRow } from 'pg';

const CONNECT_TIMEOUT_MS = 5_000;
/** Longer than the extension tries to connect to the agent (8 s), so that its own error is seen. */
const QUERY_TIMEOUT_MS = 15_000;
/** How long to wait for the server to close the connection at the end. */
const END_TIMEOUT_MS = 1_000;

/** The part of a connection to PostgreSQL, or to the agent, that a check needs. */
export interface Session {
  query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * Opens a session, runs `work` in it, and closes it in any case. Each step has a time limit.
 *
 * @throws what `work` throws; errors of pg and of Node's sockets
 */
export async function withSession<T>(
  settings: ClientConfig,
  work: (session: Session) => Promise<T>,
  { signal }: { signal: AbortSignal },
): Promise<T> {
  signal.throwIfAborted();
  const socket = new Socket();
  const client = new Client({
    ...settings,
    application_name: 'sluice doctor',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    stream: () => socket,
  });
  // An error of the connection also rejects the current query.
  client.on('error', () => undefined);
  const hangUp = (): void => void socket.destroy();
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    await client.connect();
    return await work({
      query: async <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) =>
        (await client.query<Row>(text, values === undefined ? undefined : [...values])).rows,
    });
  } finally {
    signal.removeEventListener('abort', hangUp);
    const timer = setTimeout(hangUp, END_TIMEOUT_MS);
    await client.end().catch(() => undefined);
    clearTimeout(timer);
    hangUp();
  }
}
