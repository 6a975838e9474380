import type { SourceClient } from '../../../source/source-client.ts';
import type { Finding } from '../../walk.ts';
import { judgeVersion } from '../supported-versions.ts';

/** What later checks need to know about the server. */
export interface Server {
  client: SourceClient;
  isStandby: boolean;
}

const FACTS = `
  SELECT pg_catalog.current_setting('server_version') AS version,
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS "versionNumber",
    pg_catalog.pg_is_in_recovery() AS "isStandby"`;

/** Checks the server's version, and whether it is a standby. */
export async function checkServer(client: SourceClient): Promise<Finding<Server>> {
  const { rows } = await client.query<{ version: string; versionNumber: number; isStandby: boolean }>(FACTS);
  const [row] = rows;
  if (row === undefined) return { status: 'failed', found: 'PostgreSQL gave no answer' };
  const { version, versionNumber, isStandby } = row;
  const server = `PostgreSQL ${version}, a ${isStandby ? 'standby' : 'primary'}`;
  const problem = judgeVersion(versionNumber, server);
  if (problem?.status === 'failed') return problem;
  return { status: 'ok', found: server, ...problem, value: { client, isStandby } };
}
