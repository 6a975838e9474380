import type { ClientConfig } from 'pg';
import { withSession } from '../session.ts';
import { failedWith, type Finding } from '../walk.ts';
import { judgeVersion } from './supported-versions.ts';

/** A database that could be connected to, with what later checks need to know about it. */
export interface Database {
  settings: ClientConfig;
  name: string;
  user: string;
  isSuperuser: boolean;
}

interface Row {
  version: string;
  version_number: number;
  database: string;
  user: string;
  is_superuser: boolean;
  has_dblink: boolean;
}

/**
 * Checks that PostgreSQL accepts the connection, that the extension supports its version, and that dblink is available.
 *
 * @param settings undefined when no database was named
 */
export async function checkDatabase(
  settings: ClientConfig | undefined,
  options: { signal: AbortSignal },
): Promise<Finding<Database>> {
  if (settings === undefined) {
    return {
      status: 'skipped',
      found: 'no database named: give --database postgresql://..., or PGHOST, PGDATABASE and PGUSER',
    };
  }
  let row: Row | undefined;
  try {
    [row] = await withSession(settings, (session) => session.query<Row>(FACTS), options);
  } catch (error) {
    const finding = failedWith(error);
    return {
      ...finding,
      found: `could not connect: ${finding.found}`,
      mend: [
        finding.mend,
        'Check --database (or PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD), that PostgreSQL runs there, and that it lets you in (pg_hba.conf).',
      ]
        .filter((sentence) => sentence !== undefined)
        .join(' '),
    };
  }
  if (row === undefined) return { status: 'failed', found: 'PostgreSQL gave no answer' };
  return judge(row, settings);
}

function judge(row: Row, settings: ClientConfig): Finding<Database> {
  const server = `PostgreSQL ${row.version}, database "${row.database}", as "${row.user}"`;
  const problem = judgeVersion(row.version_number, server);
  if (problem?.status === 'failed') return problem;
  if (!row.has_dblink) {
    return {
      status: 'failed',
      found: `${server}: the contrib module dblink is not installed on the server`,
      mend: 'Install PostgreSQL\'s "contrib" package (postgresql-contrib on most systems).',
    };
  }
  const value = { settings, name: row.database, user: row.user, isSuperuser: row.is_superuser };
  return { status: 'ok', found: server, ...problem, value };
}

const FACTS = `
  SELECT pg_catalog.current_setting('server_version') AS version,
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version_number,
    pg_catalog.current_database() AS database,
    current_user::pg_catalog.text AS user,
    pg_catalog.current_setting('is_superuser')::pg_catalog.bool AS is_superuser,
    EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS e WHERE e.name OPERATOR(pg_catalog.=) 'dblink')
      AS has_dblink`;
