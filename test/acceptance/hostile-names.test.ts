import { copyFile, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { exportQuery, TestStack } from '../support/test-stack.ts';

/** Names that Sluice's SQL uses, and under which another role could have created an object before or meanwhile. */

const OLD_SQL = new URL('../support/extension-1.2/aws_s3--1.2.sql', import.meta.url);

const DBLINK_FUNCTIONS = [
  'dblink_connect(a text, b text) RETURNS text',
  'dblink_disconnect(a text) RETURNS text',
  'dblink_get_connections() RETURNS text[]',
  'dblink_send_query(a text, b text) RETURNS int',
  'dblink_is_busy(a text) RETURNS int',
  'dblink_get_result(a text) RETURNS SETOF record',
];

let testStack: TestStack;
let superuser: pg.Client;
let role: { name: string; password: string };
/** The owner of a database and of its schema public. */
let owner: pg.Client;
/** The superuser in that database. */
let admin: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  role = await testStack.createRole(superuser, { mayExport: false });
});
beforeEach(async () => {
  await superuser.query(`CREATE DATABASE app OWNER ${role.name}`);
  admin = await testStack.connect(undefined, 'app');
  owner = await testStack.connect(role, 'app');
  // This is the default since PostgreSQL 15.
  await admin.query(`ALTER SCHEMA public OWNER TO ${role.name}`);
});
afterEach(async () => {
  await Promise.all([admin.end(), owner.end()]);
  await superuser.query('DROP DATABASE app WITH (FORCE)');
});
afterAll(async () => testStack?.stop());

/**
 * SQL that creates a function which reports who runs it. As a warning, since notices of an extension script are not
 * sent.
 */
const tells = (signature: string, result = '') =>
  `CREATE FUNCTION public.${signature} LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'ran as %', current_user; ${result} END $$;`;

function ranAs(session: pg.Client): string[] {
  const users: string[] = [];
  session.on('notice', ({ message = '' }) => {
    const user = /^ran as (.*)$/.exec(message)?.[1];
    if (user !== undefined) users.push(user);
  });
  return users;
}

async function install(version = ''): Promise<void> {
  await admin.query(`CREATE EXTENSION aws_s3 ${version} CASCADE`);
  await admin.query(`
    ALTER SERVER sluice_agent OPTIONS (SET host '${testStack.stack.agent.socketDirectory}');
    GRANT USAGE ON SCHEMA aws_s3 TO ${role.name};
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA aws_s3 TO ${role.name}`);
}

it('the schema of dblink, which its owner renames and makes anew again and again while exports run', async () => {
  await install();
  const other = await testStack.connect(role, 'app');
  const over = new AbortController();
  const ran = ranAs(owner);
  const functions = DBLINK_FUNCTIONS.map((signature) =>
    tells(signature, signature.includes('SETOF') ? '' : 'RETURN NULL;'),
  ).join('');
  const renaming = (async () => {
    while (!over.signal.aborted) {
      await other.query(
        `BEGIN; ALTER SCHEMA public RENAME TO away; CREATE SCHEMA public; ${functions} COMMIT`,
      );
      await other.query('BEGIN; DROP SCHEMA public CASCADE; ALTER SCHEMA away RENAME TO public; COMMIT');
    }
  })();
  let exported = 0;
  for (let round = 0; round < 50; round += 1) {
    exported += await exportQuery(owner, 'SELECT 1', 'renamed').then(
      ({ rows }) => rows,
      // A schema of the session's search_path was dropped between two looks of PostgreSQL's at it.
      () => 0,
    );
  }
  over.abort();
  await renaming;
  await other.end();
  expect(exported).toBeGreaterThan(0);
  expect(ran).toEqual([]);
});

it('a foreign server whose name is the beginning of the connection string', async () => {
  await install();
  let connections = 0;
  await using server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => socket.destroy());
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await admin.query(`GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO ${role.name}`);
  // The connection string before it began with a random key.
  const whole = `host='${testStack.stack.agent.socketDirectory}' port='5432' user=sluice dbname=sluice sslmode=disable`;
  const name = whole.slice(0, 63);
  await owner.query(`
    CREATE SERVER "${name}" FOREIGN DATA WRAPPER dblink_fdw OPTIONS (host '127.0.0.1', port '${port}');
    CREATE USER MAPPING FOR PUBLIC SERVER "${name}" OPTIONS (user 'x', password 'y')`);
  expect(await exportQuery(admin, 'SELECT 1', 'server')).toMatchObject({ rows: 1 });
  expect(connections).toBe(0);
});

/** Operators that the extension's scripts could use by mistake in place of those of pg_catalog. */
const OPERATORS = [
  ['oid', 'regnamespace'],
  ['oid', 'regrole'],
  ['name', 'text'],
  ['text', 'name'],
] as const;

it.each(['CREATE EXTENSION', 'ALTER EXTENSION UPDATE'])(
  'operators in public that fit better than those of pg_catalog, at %s',
  async (command) => {
    if (command !== 'CREATE EXTENSION') {
      const { rows } = await superuser.query<{ setting: string }>(
        `SELECT setting FROM pg_config WHERE name = 'SHAREDIR'`,
      );
      const installed = join(rows[0]?.setting ?? '', 'extension', 'aws_s3--1.2.sql');
      try {
        await copyFile(OLD_SQL, installed);
        await install(`VERSION '1.2'`);
      } finally {
        await rm(installed, { force: true });
      }
    }
    for (const [left, right] of OPERATORS) {
      for (const [symbol, name] of [
        ['=', 'equal'],
        ['<>', 'different'],
      ] as const) {
        await owner.query(
          `${tells(`${name}(a ${left}, b ${right}) RETURNS bool`, 'RETURN true;')}
           CREATE OPERATOR public.${symbol} (LEFTARG = ${left}, RIGHTARG = ${right}, FUNCTION = public.${name})`,
        );
      }
    }
    const ran = ranAs(admin);
    if (command === 'CREATE EXTENSION') await install();
    else await admin.query('ALTER EXTENSION aws_s3 UPDATE');
    expect(ran).toEqual([]);
  },
);
