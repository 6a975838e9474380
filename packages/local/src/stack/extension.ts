import { Client } from 'pg';
import { LocalError } from '../errors.ts';
import type { RunningPostgres } from '../postgres/server.ts';

/**
 * Installs aws_s3 in the database `postgres`. Then updates aws_s3 in every database that has it, and points it at the
 * agent's socket, which may have moved.
 */
export async function joinExtension(postgres: RunningPostgres, agentSocketDirectory: string): Promise<void> {
  try {
    await onDatabase(postgres, 'postgres', (client) =>
      client.query('CREATE EXTENSION IF NOT EXISTS aws_s3 CASCADE'),
    );
    for (const database of await databases(postgres)) {
      await onDatabase(postgres, database, (client) => updateAndPointAtAgent(client, agentSocketDirectory));
    }
  } catch (error) {
    throw new LocalError('postgres_failed', 'the extension aws_s3 could not be installed', {
      cause: error,
      detail: error instanceof Error ? error.message : String(error),
    });
  }
}

async function databases(postgres: RunningPostgres): Promise<string[]> {
  return onDatabase(postgres, 'postgres', async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_catalog.pg_database WHERE datallowconn',
    );
    return rows.map((row) => row.datname);
  });
}

async function updateAndPointAtAgent(client: Client, socketDirectory: string): Promise<void> {
  const { rows } = await client.query<{ host: string | null }>(`
    SELECT (SELECT option_value FROM pg_catalog.pg_options_to_table(s.srvoptions) WHERE option_name = 'host') AS host
    FROM pg_catalog.pg_foreign_server AS s
    WHERE s.srvname = 'sluice_agent'`);
  const server = rows[0];
  if (server === undefined) return;
  await client.query('ALTER EXTENSION aws_s3 UPDATE');
  if (server.host === socketDirectory) return;
  const action = server.host === null ? 'ADD' : 'SET';
  await client.query(
    `ALTER SERVER sluice_agent OPTIONS (${action} host ${client.escapeLiteral(socketDirectory)})`,
  );
}

async function onDatabase<T>(
  postgres: RunningPostgres,
  database: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { host, port, user, password } = postgres;
  const client = new Client({ host, port, user, password, database });
  // An error of the connection also rejects the current query.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
