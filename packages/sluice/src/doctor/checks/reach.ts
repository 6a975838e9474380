import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { readAgentStatus } from '../ping-agent.ts';
import { withSession, type Session } from '../session.ts';
import { failedWith, type Finding } from '../walk.ts';
import type { Database } from './database.ts';

const CONNECTION = 'sluice_doctor';

/**
 * Checks that PostgreSQL itself can reach the agent and the folder of its pipes: PostgreSQL runs as another operating
 * system user, and possibly in a container or with another view of /run.
 */
export async function checkReach(
  { cluster: { identifier } }: Config,
  database: Database,
  { socketDirectory }: { socketDirectory: string },
  options: { signal: AbortSignal },
): Promise<Finding> {
  if (!database.isSuperuser) {
    return {
      status: 'skipped',
      found: `only a superuser may have PostgreSQL try it, and "${database.user}" is none`,
    };
  }
  const pipes = join(socketDirectory, 'pipes');
  return withSession(
    database.settings,
    async (session) => {
      const status = await askThroughPostgres(session);
      if (status.cluster !== identifier) {
        return {
          status: 'failed',
          found: `PostgreSQL reaches the agent of the cluster "${status.cluster}", not of "${identifier}"`,
          mend: `Do PostgreSQL and the agent run on the same host, and see the same ${socketDirectory}?`,
        };
      }
      return (await findPipesProblem(session, pipes)) ?? ok(pipes);
    },
    options,
  );
}

/** Sends a request like the functions of aws_s3. If it fails, the connection to the agent closes with the session. */
async function askThroughPostgres(session: Session): Promise<ReturnType<typeof readAgentStatus>> {
  await session.query('SELECT sluice.connect($1)', [CONNECTION]);
  const [row] = await session.query<{ answer: unknown }>('SELECT sluice.request($1, $2) AS answer', [
    CONNECTION,
    '{"op": "ping"}',
  ]);
  await session.query('SELECT sluice.disconnect($1)', [CONNECTION]);
  return readAgentStatus(row?.answer);
}

/**
 * Looks for a file that does not exist. The folder is open to its owner only, so if PostgreSQL can look into it,
 * PostgreSQL's user owns it and can write to the pipes. So no file has to be made for this check.
 */
async function findPipesProblem(session: Session, pipes: string): Promise<Finding<never> | undefined> {
  try {
    const [row] = await session.query<{ exists: boolean }>(
      `SELECT (pg_catalog.pg_stat_file($1, true)).isdir IS TRUE
        AND (pg_catalog.pg_stat_file($1 OPERATOR(pg_catalog.||) '/sluice-doctor', true)).isdir IS NULL AS exists`,
      [pipes],
    );
    if (row?.exists === true) return undefined;
    return {
      status: 'failed',
      found: `PostgreSQL does not see the folder of the agent's pipes, ${pipes}`,
      mend: 'Do PostgreSQL and the agent run on the same host, with the same view of that path? Then start the agent anew.',
    };
  } catch (error) {
    return {
      ...failedWith(error),
      mend: `PostgreSQL's user must own ${pipes}: name that user as agent.postgres_os_user in sluice.toml, and start the agent anew.`,
    };
  }
}

function ok(pipes: string): Finding {
  return { status: 'ok', found: `PostgreSQL reaches the agent, and its pipes in ${pipes}`, value: true };
}
