import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { EXTENSION_VERSIONS } from '../../extension-versions.ts';
import { withSession } from '../session.ts';
import type { Finding } from '../walk.ts';
import type { Database } from './database.ts';

interface ExtensionRow {
  name: string;
  /** Null when it is not in this database. */
  installed: string | null;
  /** Null when its files are not on the server. */
  available: string | null;
}

interface ServerRow {
  host: string | null;
}

const CREATE_EXTENSION = 'CREATE EXTENSION IF NOT EXISTS aws_s3 CASCADE;';

/** Checks that aws_s3 and aws_commons are in the database, and look for the agent in the directory where it listens. */
export async function checkExtension(
  { agent: { socket_directory: socketDirectory } }: Config,
  database: Database,
  options: { signal: AbortSignal },
): Promise<Finding<{ socketDirectory: string }>> {
  const { extensions, servers } = await withSession(
    database.settings,
    async (session) => ({
      extensions: await session.query<ExtensionRow>(EXTENSIONS),
      servers: await session.query<ServerRow>(SERVERS),
    }),
    options,
  );
  const missing = extensions.find(({ installed }) => installed === null);
  if (missing !== undefined) return notInstalled(missing, database.name);
  const [server] = servers;
  if (server === undefined) {
    return {
      status: 'failed',
      found: 'aws_s3 is installed, but it has no foreign server sluice_agent: it is not the one of Sluice',
      mend: `In the database "${database.name}": DROP EXTENSION aws_s3 CASCADE; ${CREATE_EXTENSION}`,
    };
  }
  if (server.host === null || !(await isSameDirectory(server.host, socketDirectory))) {
    const action = server.host === null ? 'ADD' : 'SET';
    return {
      status: 'failed',
      found: `the foreign server sluice_agent looks for the agent in ${server.host === null ? 'no directory' : `"${server.host}"`}, but agent.socket_directory is "${socketDirectory}"`,
      mend: `In the database "${database.name}": ALTER SERVER sluice_agent OPTIONS (${action} host '${socketDirectory.replaceAll("'", "''")}');`,
    };
  }
  return judgeVersions(extensions, { socketDirectory: server.host, database: database.name });
}

function notInstalled({ name, available }: ExtensionRow, database: string): Finding<never> {
  if (available !== null) {
    return {
      status: 'failed',
      found: `the extension ${name} is not in the database "${database}"`,
      mend: `There, as a superuser: ${CREATE_EXTENSION}`,
    };
  }
  return {
    status: 'failed',
    found: `the extension ${name} is not on the server`,
    mend: `On the database host: sudo sluice install --pg-config /path/to/pg_config; then in the database "${database}", as a superuser: ${CREATE_EXTENSION}`,
  };
}

function judgeVersions(
  extensions: readonly ExtensionRow[],
  { socketDirectory, database }: { socketDirectory: string; database: string },
): Finding<{ socketDirectory: string }> {
  const value = { socketDirectory };
  const versions = extensions.map(({ name, installed }) => `${name} ${installed}`).join(', ');
  const old = extensions.find(({ name, installed }) => installed !== EXTENSION_VERSIONS.get(name));
  if (old === undefined) {
    return { status: 'ok', found: `${versions}; looks for the agent in ${socketDirectory}`, value };
  }
  const current = EXTENSION_VERSIONS.get(old.name);
  const files =
    old.available === current
      ? ''
      : 'On the database host: sudo sluice install --pg-config /path/to/pg_config; then ';
  return {
    status: 'warning',
    found: `${versions}, but the agent's version of Sluice has ${old.name} ${current}`,
    mend: `${files}${files === '' ? 'In' : 'in'} the database "${database}", as a superuser: ALTER EXTENSION ${old.name} UPDATE;`,
    value,
  };
}

/** Resolves symbolic links: /var/run is often a link to /run. */
async function isSameDirectory(one: string, other: string): Promise<boolean> {
  const real = (path: string): Promise<string> => realpath(path).catch(() => resolve(path));
  return resolve(one) === resolve(other) || (await real(one)) === (await real(other));
}

const EXTENSIONS = `
  SELECT n.name, e.extversion AS installed, a.default_version AS available
  FROM pg_catalog.unnest(ARRAY['aws_commons', 'aws_s3']::pg_catalog.name[]) AS n(name)
  LEFT JOIN pg_catalog.pg_extension AS e ON e.extname OPERATOR(pg_catalog.=) n.name
  LEFT JOIN pg_catalog.pg_available_extensions AS a ON a.name OPERATOR(pg_catalog.=) n.name
  ORDER BY n.name`;

const SERVERS = `
  SELECT
    (SELECT o.option_value FROM pg_catalog.pg_options_to_table(s.srvoptions) AS o
      WHERE o.option_name OPERATOR(pg_catalog.=) 'host') AS host
  FROM pg_catalog.pg_foreign_server AS s
  WHERE s.srvname OPERATOR(pg_catalog.=) 'sluice_agent'`;
