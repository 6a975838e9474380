import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Doctor } from '../support/doctor.ts';
import { BUCKET, exportQuery, TestStack } from '../support/test-stack.ts';

/** The SQL of version 1.2, which databases may still have. */
const OLD_SQL = new URL('../support/extension-1.2/aws_s3--1.2.sql', import.meta.url);

let testStack: TestStack;
let superuser: pg.Client;
let ordinary: pg.Client;
let granted: string;

beforeAll(async () => {
  testStack = await TestStack.start();
  const first = await testStack.connect();
  const { rows } = await first.query<{ setting: string }>(
    `SELECT setting FROM pg_config WHERE name = 'SHAREDIR'`,
  );
  const installed = join(rows[0]?.setting ?? '', 'extension', 'aws_s3--1.2.sql');
  const role = await testStack.createRole(first, { mayExport: false });
  granted = role.name;
  await first.query('CREATE DATABASE old');
  superuser = await testStack.connect(undefined, 'old');
  try {
    await copyFile(OLD_SQL, installed);
    await superuser.query(`CREATE EXTENSION aws_s3 VERSION '1.2' CASCADE`);
  } finally {
    await rm(installed, { force: true });
  }
  await superuser.query(`
    ALTER SERVER sluice_agent OPTIONS (SET host '${testStack.stack.agent.socketDirectory}');
    GRANT USAGE ON SCHEMA aws_s3 TO ${granted};
    GRANT EXECUTE ON FUNCTION aws_s3.query_export_to_s3(text, text, text, text, text, text) TO ${granted};
    CREATE VIEW exported AS SELECT * FROM aws_s3.query_export_to_s3('SELECT 1', '${BUCKET}', 'view');
    CREATE FUNCTION export_it() RETURNS bigint BEGIN ATOMIC
      SELECT rows_uploaded FROM aws_s3.query_export_to_s3('SELECT 1', aws_commons.create_s3_uri('${BUCKET}', 'function', 'us-west-2'));
    END`);
  ordinary = await testStack.connect(role, 'old');
});
afterAll(async () => testStack?.stop());

it('a database with aws_s3 1.2 exports by the agent of today, then is updated with all that depends on it', async () => {
  for (const session of [superuser, ordinary]) {
    expect(await exportQuery(session, 'SELECT 1, 2', 'before')).toMatchObject({ rows: 1 });
  }
  // The agent keeps what is not COPY's to itself, so the extension need not know of it.
  for (const session of [superuser, ordinary]) {
    await exportQuery(session, 'SELECT 1, 2', 'before', 'format csv, compression gzip');
    expect(gunzipSync(await testStack.object('before')).toString()).toBe('1,2\n');
  }
  expect(await testStack.agentLog()).toContain('ALTER EXTENSION aws_s3 UPDATE');
  await using doctor = await Doctor.of(testStack.stack);
  const database = new URL(testStack.stack.postgres.url);
  database.pathname = '/old';
  const { checks } = await doctor.diagnose({ database: database.href });
  expect(checks.get('extension')).toMatchObject({
    status: 'warning',
    mend: 'In the database "old", as a superuser: ALTER EXTENSION aws_s3 UPDATE;',
  });
  await superuser.query('ALTER EXTENSION aws_s3 UPDATE');

  const { rows } = await superuser.query(`SELECT extversion FROM pg_extension WHERE extname = 'aws_s3'`);
  expect(rows).toEqual([{ extversion: '1.2.1' }]);
  for (const session of [superuser, ordinary]) {
    expect(await exportQuery(session, 'SELECT 1, 2; -- done;', 'after')).toMatchObject({ rows: 1 });
  }
  expect((await superuser.query('SELECT rows_uploaded FROM exported')).rows).toEqual([
    { rows_uploaded: '1' },
  ]);
  expect((await superuser.query('SELECT export_it()')).rows).toEqual([{ export_it: '1' }]);
});

it('what was granted on the one name is granted on the other, and nothing else', async () => {
  const { rows } = await superuser.query<{ signature: string }>(
    `SELECT p.oid::regprocedure::text AS signature FROM pg_proc AS p
     WHERE pronamespace = 'aws_s3'::regnamespace AND proname NOT LIKE '\\_%' AND has_function_privilege($1, p.oid, 'EXECUTE')
     ORDER BY 1`,
    [granted],
  );
  expect(rows.map(({ signature }) => signature)).toEqual([
    'aws_s3.export_query_to_s3(text,text,text,text,text,text)',
    'aws_s3.query_export_to_s3(text,text,text,text,text,text)',
  ]);
});

it('has after the update what a new installation has', async () => {
  const definitions = (client: pg.Client) =>
    client.query(`
      SELECT p.oid::regprocedure::text AS name, pg_get_functiondef(p.oid) AS definition, pg_get_userbyid(p.proowner) AS owner,
        obj_description(p.oid, 'pg_proc') AS comment
      FROM pg_proc AS p WHERE pronamespace IN ('aws_s3'::regnamespace, 'sluice'::regnamespace) ORDER BY 1`);
  const fresh = await testStack.connect();
  expect((await definitions(superuser)).rows).toEqual((await definitions(fresh)).rows);
  const privileges = (client: pg.Client) =>
    client.query(`
      SELECT p.oid::regprocedure::text AS name, has_function_privilege('pg_write_server_files', p.oid, 'EXECUTE') AS member,
        EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0) AS everybody
      FROM pg_proc AS p WHERE pronamespace IN ('aws_s3'::regnamespace, 'sluice'::regnamespace) ORDER BY 1`);
  expect((await privileges(superuser)).rows).toEqual((await privileges(fresh)).rows);
});

it('an ordinary role that was granted on both names exports by both', async () => {
  const { rows } = await ordinary.query(
    `SELECT rows_uploaded FROM aws_s3.export_query_to_s3('SELECT 1 AS a, 2 AS a', '${BUCKET}', 'alias', options := 'format csv, header')`,
  );
  expect(rows).toEqual([{ rows_uploaded: '1' }]);
  expect((await testStack.object('alias')).toString()).toBe('a,a\n1,2\n');
});
