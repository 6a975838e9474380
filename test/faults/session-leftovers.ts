import type pg from 'pg';

/** Connections to the agent and temporary tables that an export has left in a session. */
export async function leftInSession(session: pg.Client): Promise<string[]> {
  const { rows } = await session.query<{ connections: string[] | null; tables: string[] | null }>(`
    SELECT public.dblink_get_connections() AS connections,
      (SELECT array_agg(relname::text) FROM pg_class
       WHERE relnamespace = pg_my_temp_schema() AND relname LIKE 'aws\\_s3\\_%') AS tables`);
  const { connections, tables } = rows[0] ?? {};
  return [
    ...(connections ?? []).map((name) => `the session still has the connection ${name}`),
    ...(tables ?? []).map((name) => `the session still has the temporary table ${name}`),
  ];
}
