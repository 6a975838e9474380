import { randomBytes } from 'node:crypto';
import pg from 'pg';
import prettier from 'prettier';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CONTEXTS, STANDBY, type Expected } from '../support/contexts.ts';
import { contextsPage } from '../support/contexts-page.ts';
import { SQL_WAYS, type Way } from '../support/oracle.ts';
import { StackWithStandby } from '../support/standby.ts';
import { BUCKET, type TestStack } from '../support/test-stack.ts';

let stack: StackWithStandby;
let testStack: TestStack;
let superuser: pg.Client;
const roles = new Map<Way, { name: string; password: string }>();

/** Each way has its own database, with the name of the way. */
beforeAll(async () => {
  stack = await StackWithStandby.start([
    'ALTER SYSTEM SET wal_level = logical',
    'ALTER SYSTEM SET max_prepared_transactions = 5',
  ]);
  testStack = stack.testStack;
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
afterAll(async () => stack?.stop());

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
  await stack.caughtUp();
  const url = new URL(stack.standby.url);
  url.username = name;
  url.password = password;
  url.pathname = `/${database}`;
  const session = new pg.Client({ connectionString: url.href });
  await session.connect();
  return session;
}
