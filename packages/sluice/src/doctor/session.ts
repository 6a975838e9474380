import { Socket } from 'node:net';
import { Client, type ClientConfig, type QueryResultRow } from 'pg';

const CONNECT_TIMEOUT_MS = 5_000;
/** More than the time that the extension gives the agent to let it in. */
const QUERY_TIMEOUT_MS = 15_000;
/** For a farewell that nobody may answer. */
const END_TIMEOUT_MS = 1_000;

/** A connection to PostgreSQL, or to what speaks like it, as far as a check needs one. */
export interface Session {
  query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * Opens a session, works in it and closes it, whatever happens: each step has a time limit.
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
  // What breaks the connection rejects the query under way, too.
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
