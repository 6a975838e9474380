import type { Finding } from '../../walk.ts';
import type { Server } from './server.ts';

interface Row {
  maxConnections: number;
  reserved: number;
  used: number;
  roleLimit: number | null;
  roleUsed: number;
  databaseLimit: number;
  databaseUsed: number;
  isSuperuser: boolean;
}

/** reserved_connections is there since 16. */
const FACTS = `
  SELECT pg_catalog.current_setting('max_connections')::pg_catalog.int4 AS "maxConnections",
    pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int4
      OPERATOR(pg_catalog.+) COALESCE(pg_catalog.current_setting('reserved_connections', true), '0')::pg_catalog.int4 AS reserved,
    pg_catalog.count(*)::pg_catalog.int4 AS used,
    (pg_catalog.count(*) FILTER (WHERE a.usename OPERATOR(pg_catalog.=) session_user))::pg_catalog.int4 AS "roleUsed",
    (pg_catalog.count(*) FILTER (WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))::pg_catalog.int4
      AS "databaseUsed",
    (SELECT r.rolconnlimit FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) session_user) AS "roleLimit",
    (SELECT d.datconnlimit FROM pg_catalog.pg_database AS d
      WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()) AS "databaseLimit",
    pg_catalog.current_setting('is_superuser')::pg_catalog.bool AS "isSuperuser"
  FROM pg_catalog.pg_stat_activity AS a
  WHERE a.backend_type OPERATOR(pg_catalog.=) 'client backend'`;

/** Checks that there is room for the sessions of an export: one that keeps the snapshot, and those that read. */
export async function checkSessions({ client }: Server, jobs: number): Promise<Finding> {
  const { rows } = await client.query<Row>(FACTS);
  const [row] = rows;
  if (row === undefined) return { status: 'failed', found: 'PostgreSQL gave no answer' };
  // The doctor's own session is among those in use, in the place of the one that will keep the snapshot.
  const tight = limitsOf(row).find(({ limit, used }) => limit - used < jobs);
  const { maxConnections, used } = row;
  if (tight === undefined) {
    return {
      status: 'ok',
      found: `${used} of ${maxConnections} connections are in use, ${jobs + 1} are needed`,
      value: true,
    };
  }
  const { what, limit, used: inUse, mend } = tight;
  return {
    // Who is connected now may be gone when the export begins; a limit below what it needs stays.
    status: limit < jobs + 1 ? 'failed' : 'warning',
    found: `${inUse} of the ${limit} connections of ${what} are in use, and ${jobs} more are needed (--jobs ${jobs})`,
    mend: `Give a smaller --jobs, or ${mend}.`,
    value: true,
  };
}

/** Superusers get the last connections, and have no limit of their own. */
function limitsOf(row: Row): { what: string; limit: number; used: number; mend: string }[] {
  const reserved = row.isSuperuser ? 0 : row.reserved;
  const server = {
    what: 'the server',
    limit: row.maxConnections - reserved,
    used: row.used,
    mend: 'raise max_connections',
  };
  if (row.isSuperuser) return [server];
  return [
    server,
    {
      what: 'the role',
      limit: row.roleLimit ?? -1,
      used: row.roleUsed,
      mend: 'ALTER ROLE ... CONNECTION LIMIT',
    },
    {
      what: 'the database',
      limit: row.databaseLimit,
      used: row.databaseUsed,
      mend: 'ALTER DATABASE ... CONNECTION LIMIT',
    },
  ].filter(({ limit }) => limit >= 0);
}
