import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exportQuery, TestStack } from '../support/test-stack.ts';

let testStack: TestStack;
let superuser: pg.Client;
let ordinary: pg.Client;
let stranger: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  ordinary = await testStack.connect(await testStack.createRole(superuser, { mayExport: true }));
  stranger = await testStack.connect(await testStack.createRole(superuser, { mayExport: false }));
  await superuser.query('CREATE TABLE secret AS SELECT 42 AS x');
});
afterEach(async () => testStack.expectNothingLeft(superuser, ordinary, stranger));
afterAll(async () => testStack?.stop());

describe('without the grants', () => {
  it("is PostgreSQL's own error", async () => {
    await expect(exportQuery(stranger, 'SELECT 1', 'x')).rejects.toMatchObject({
      code: '42501',
      message: 'permission denied for schema aws_s3',
    });
  });

  it('the right to the schema alone is not enough, whatever is called', async () => {
    const role = await testStack.createRole(superuser, { mayExport: false });
    await superuser.query(`GRANT USAGE ON SCHEMA aws_s3 TO ${role.name}`);
    const session = await testStack.connect(role);
    const refused = { code: '42501', message: 'permission denied for function query_export_to_s3' };
    await expect(exportQuery(session, 'SELECT 1', 'x')).rejects.toMatchObject(refused);
    await expect(
      session.query(`SELECT aws_s3._export('SELECT 1', 'sample-bucket', 'x', NULL, NULL, NULL)`),
    ).rejects.toMatchObject(refused);
    expect(await testStack.keys('x')).toEqual([]);
    await testStack.expectNothingLeft(session);
  });
});

describe('an ordinary role', () => {
  it('exports what it may read, and nothing else', async () => {
    await expect(exportQuery(ordinary, 'SELECT * FROM secret', 'secret')).rejects.toMatchObject({
      code: '42501',
      message: 'permission denied for table secret',
    });
    expect(await testStack.keys('secret')).toEqual([]);
  });

  it('runs its query as itself', async () => {
    await exportQuery(ordinary, 'SELECT current_user = session_user', 'who');
    expect((await testStack.object('who')).toString()).toBe('t\n');
  });

  it('has no connection to the agent open while its query runs', async () => {
    await exportQuery(
      ordinary,
      'SELECT coalesce(array_length(dblink_get_connections(), 1), 0)',
      'connections',
    );
    expect((await testStack.object('connections')).toString()).toBe('0\n');
  });

  it.each([
    `SELECT sluice.begin('c', 'sample-bucket', 'x', NULL, NULL, NULL)`,
    `SELECT sluice.commit('c', 't', 1)`,
    `SELECT sluice.abort('c', 'XX000')`,
    `SELECT sluice.connect('c')`,
    `SELECT dblink_connect('c', 'sluice_agent')`,
    `SELECT dblink_connect('c', 'host=' || (SELECT split_part(srvoptions[1], '=', 2) FROM pg_foreign_server))`,
    `ALTER SERVER sluice_agent OPTIONS (SET host '/tmp')`,
    `COPY (SELECT 1) TO '/tmp/x'`,
  ])('cannot reach the agent or a file by %s', async (statement) => {
    // Grants every function of the schema, as many administrators do.
    await superuser.query(`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA aws_s3 TO PUBLIC`);
    await expect(ordinary.query(statement)).rejects.toMatchObject({
      code: expect.stringMatching(/^(42501|42704|2F003)$/) as unknown,
    });
    await superuser.query(
      ['query_export_to_s3', 'export_query_to_s3']
        .map(
          (name) => `REVOKE EXECUTE ON FUNCTION aws_s3.${name}(text, aws_commons._s3_uri_1, text, text),
            aws_s3.${name}(text, text, text, text, text, text) FROM PUBLIC;`,
        )
        .join('\n'),
    );
  });

  it.each(['pg_class', 'pg_authid', 'secret', 'mine', 'aws_s3_staged_0123456789abcdef0123456789abcdef'])(
    'cannot have %s exported with the rights of the owner of the extension',
    async (table) => {
      await ordinary.query('CREATE TEMP TABLE IF NOT EXISTS mine (x int)');
      await superuser.query(
        'CREATE TABLE IF NOT EXISTS aws_s3_staged_0123456789abcdef0123456789abcdef (x int)',
      );
      await expect(
        ordinary.query(
          `SELECT aws_s3._export_staged($1::regclass, NULL, '{public}', 'sample-bucket', 'stolen', NULL, NULL, NULL)`,
          [table],
        ),
      ).rejects.toMatchObject({ message: 'not a table of staged rows' });
      expect(await testStack.keys('stolen')).toEqual([]);
    },
  );

  it('in a read-only transaction is told why not, and what to do', async () => {
    await ordinary.query('BEGIN READ ONLY');
    await expect(exportQuery(ordinary, 'SELECT 1', 'x')).rejects.toMatchObject({
      code: '25006',
      message: 'cannot export in a read-only transaction',
      hint: expect.stringContaining('pg_write_server_files') as unknown,
    });
    await ordinary.query('ROLLBACK');
  });

  it('with an object of its own in the way of every name that we use', async () => {
    const role = await testStack.createRole(superuser, { mayExport: true });
    await superuser.query(`CREATE SCHEMA evil AUTHORIZATION ${role.name}`);
    const session = await testStack.connect(role);
    await session
      .query(
        `
      CREATE FUNCTION evil.format(text, VARIADIC "any") RETURNS text LANGUAGE internal AS 'text_format'`,
      )
      .catch(() => undefined);
    await session.query(`
      CREATE FUNCTION evil.rtrim(text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'SELECT 666' $$;
      CREATE FUNCTION evil.concat(text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$;
      CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT 'off' $$;
      SET search_path = evil, pg_temp, pg_catalog, public`);
    await exportQuery(session, 'SELECT 5', 'evil');
    expect((await testStack.object('evil')).toString()).toBe('5\n');
    await session.end();
  });
});

describe('a member of pg_write_server_files', () => {
  it('exports directly, also in a read-only transaction', async () => {
    const role = await testStack.createRole(superuser, { mayExport: true });
    await superuser.query(`GRANT pg_write_server_files TO ${role.name}`);
    const session = await testStack.connect(role);
    await session.query('BEGIN READ ONLY');
    expect(await exportQuery(session, 'SELECT 1', 'direct')).toEqual({ rows: 1, files: 1, bytes: 2 });
    await session.query('COMMIT');
    await testStack.expectNothingLeft(session);
    await session.end();
  });
});
