import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocal, type RunningPostgres } from '@sluice/local';
import pg from 'pg';
import prettier from 'prettier';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CONTEXTS, STANDBY, type Expected } from '../support/contexts.ts';
import { contextsPage } from '../support/contexts-page.ts';
import { SQL_WAYS, type Way } from '../support/oracle.ts';
import { StandbyData } from '../support/standby.ts';
import { BUCKET, POSTGRES_MAJOR, TestStack } from '../support/test-stack.ts';

let directory: string;
let testStack: TestStack;
let standbyData: StandbyData | undefined;
let standby: RunningPostgres | undefined;
let superuser: pg.Client;
const roles = new Map<Way, { name: string; password: string }>();

/** Each way has its own database, with the name of the way. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-contexts-'));
  const options = { dir: join(directory, 'stack'), durable: false, pgVersion: POSTGRES_MAJOR };
  // These settings, and copying the data for the standby, need a stopped server.
  await using first = await startLocal(options);
  const setUp = new pg.Client({ connectionString: first.postgres.url });
  await setUp.connect();
  await setUp.query('ALTER SYSTEM SET wal_level = logical');
  await setUp.query('ALTER SYSTEM SET max_prepared_transactions = 5');
  const { rows } = await setUp.query<{ data_directory: string }>('SHOW data_directory');
  await setUp.end();
  await first.stop();
  standbyData = await StandbyData.copyOf(rows[0]?.data_directory ?? '');

  testStack = await TestStack.start(options);
  standby = await standbyData.start(testStack.stack.postgres.url);
  superuser = await testStack.connect();
  for (const way of SQL_WAYS) {
    await superuser.query(`CREATE DATABASE ${way}`);
    const owner = await testStack.connect(undefined, way);
    await owner.query('CREATE EXTENSION aws_s3 CASCADE');
    await owner.query(`SELECT pg_create_logical_replication_slot('of_${way}', 'pgoutput')`);
    const role = await testStack.createRole(owner, { mayExport: true });
    await owner.query(`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA aws_s3 TO ${role.name}`);
    if (way === 'direct') await owner.query(`GRANT pg_write_server_files TO ${role.name}`);
    roles.set(way, role);
    await owner.end();
  }
});
afterEach(async () => testStack.expectNothingLeft());
afterAll(async () => {
  await standby?.stop();
  await standbyData?.remove();
  await testStack?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe.each(SQL_WAYS)('%s', (way) => {
  it.each(CONTEXTS)('$name', async (context) => {
    const role = roles.get(way) ?? { name: '', password: '' };
    const owner = await testStack.connect(undefined, way);
    if (context.setUp !== undefined) await owner.query(context.setUp(role.name));
    const session =
      context.name === STANDBY ? await onStandby(role, way) : await testStack.connect(role, way);
    const key = `context-${randomBytes(4).toString('hex')}`;
    const literal = pg.escapeLiteral;
    const exportOf = (query: string, suffix = '') =>
      `SELECT aws_s3.query_export_to_s3(${literal(query)}, ${literal(BUCKET)}, ${literal(key + suffix)})`;
    const run = async () => {
      if (context.transaction !== undefined) await session.query(context.transaction);
      const objects = await context.run({ session, role: role.name, key, exportOf });
      if (context.transaction !== undefined) await session.query('COMMIT');
      for (const [object, content] of Object.entries(objects)) {
        const stored = (await testStack.object(object)).toString();
        if (stored !== content) throw new Error(`${object} holds ${JSON.stringify(stored)}`);
      }
    };
    try {
      expect(await outcomeOf(run)).toEqual(context[way]);
      // Ends the transaction of a run that failed.
      await session.query('ROLLBACK');
      const { rows } = await session.query(`
        SELECT public.dblink_get_connections() AS connections,
          (SELECT count(*) FROM pg_class WHERE relname LIKE 'aws\\_s3\\_staged%') AS tables`);
      expect(rows).toEqual([{ connections: null, tables: '0' }]);
    } finally {
      await session.end();
      if (context.tearDown !== undefined) await owner.query(context.tearDown);
      await owner.end();
    }
  });
});

it('docs/contexts.md says what is tested here', async () => {
  const page = await prettier.format(contextsPage(CONTEXTS), {
    parser: 'markdown',
    printWidth: 110,
    proseWrap: 'preserve',
  });
  await expect(page).toMatchFileSnapshot('../../docs/contexts.md');
});

/** Some contexts must give an error of PostgreSQL. Any other error fails the test. */
async function outcomeOf(run: () => Promise<void>): Promise<Expected> {
  try {
    await run();
    return 'works';
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return { code: error.code ?? '', message: error.message };
  }
}

/** A session on the standby, after it has received the primary's changes. */
async function onStandby({ name, password }: { name: string; password: string }, database: string) {
  if (standby === undefined) throw new Error('there is no standby');
  const { rows } = await superuser.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
  const url = new URL(standby.url);
  const watcher = new pg.Client({ connectionString: url.href });
  await watcher.connect();
  await expect
    .poll(
      async () => {
        const answer = await watcher.query<{ done: boolean }>(
          'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done',
          [rows[0]?.lsn],
        );
        return answer.rows[0]?.done;
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  await watcher.end();
  url.username = name;
  url.password = password;
  url.pathname = `/${database}`;
  const session = new pg.Client({ connectionString: url.href });
  await session.connect();
  return session;
}
