import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BUCKET, exportQuery, TestStack } from '../support/test-stack.ts';

const STAGED = `aws_s3_staged_${'0'.repeat(32)}`;

let testStack: TestStack;
let superuser: pg.Client;
/** Two sessions of one role, which may use the temporary schemas of all sessions. */
let first: pg.Client;
let second: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  const role = await testStack.createRole(superuser, { mayExport: true });
  await superuser.query(`
    GRANT pg_read_all_data, pg_write_all_data TO ${role.name};
    CREATE SCHEMA r AUTHORIZATION ${role.name}`);
  first = await testStack.connect(role);
  second = await testStack.connect(role);
  // Raises an error if another user runs it. IMMUTABLE, so that it already runs when a query with it is planned.
  await first.query(`
    CREATE FUNCTION r.evil() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
      IF current_user::text <> session_user::text THEN
        RAISE EXCEPTION 'ran as %', current_user USING ERRCODE = 'XX999';
      END IF;
      RETURN 1;
    END $$`);
});
afterEach(async () => {
  await first.query('ROLLBACK');
  await first.query(`DROP TABLE IF EXISTS pg_temp.${STAGED}`);
  await testStack.expectNothingLeft(first, second);
});
afterAll(async () => testStack?.stop());

async function temporarySchema(): Promise<string> {
  const { rows } = await first.query<{ name: string }>(
    'SELECT nspname AS name FROM pg_namespace WHERE oid = pg_my_temp_schema()',
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the session has no temporary schema');
  return row.name;
}

const exportStaged = (columns = 'NULL') =>
  first.query(
    `SELECT aws_s3._export_staged('pg_temp.${STAGED}'::regclass, ${columns}, '{public}', '${BUCKET}', 'two', NULL, NULL, NULL)`,
  );

/** What a session may do to a temporary table in another session, if both sessions are of the table's owner. */
const CHANGES = [
  ['statistics', 'CREATE STATISTICS r.s ON (c1 + r.evil()), (c1 * r.evil()) FROM <table>'],
  ['a rule', `CREATE RULE "_RETURN" AS ON SELECT TO <table> DO INSTEAD SELECT r.evil() AS c1`],
  ['a rule that acts', `CREATE RULE x AS ON INSERT TO <table> DO ALSO SELECT r.evil()`],
  ['a policy', `CREATE POLICY p ON <table> USING (r.evil() = 1)`],
  [
    'a trigger',
    `CREATE OR REPLACE FUNCTION r.t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
     CREATE TRIGGER t BEFORE INSERT ON <table> FOR EACH ROW EXECUTE FUNCTION r.t()`,
  ],
  ['another name', `ALTER TABLE <table> RENAME TO other`],
] as const;

describe('what another session makes of the table of staged rows', () => {
  it.each(CHANGES)('%s, of a table that it could see, is not run', async (_, change) => {
    await first.query(`CREATE TEMP TABLE ${STAGED} (c1 int)`);
    await first.query(`INSERT INTO ${STAGED} VALUES (1)`);
    // A snapshot older than the change does not show the change.
    await first.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await first.query('SELECT 1 FROM pg_class LIMIT 1');
    const { rows } = await first.query<{ oid: string }>(`SELECT 'pg_temp.${STAGED}'::regclass::oid AS oid`);
    const outcome = await second
      .query(change.replaceAll('<table>', `${await temporarySchema()}.${STAGED}`))
      .then(
        () => 'changed',
        (error: pg.DatabaseError) => error.message,
      );
    for (const columns of ['NULL', `'{a}'`]) {
      await first.query('SAVEPOINT s');
      await expect(
        first.query(
          `SELECT aws_s3._export_staged(${rows[0]?.oid}, ${columns}, '{public}', '${BUCKET}', 'two', NULL, NULL, NULL)`,
        ),
        outcome,
      ).rejects.toMatchObject({ code: '42809', message: 'not a table of staged rows' });
      await first.query('ROLLBACK TO s');
    }
    expect(await testStack.keys('two')).toEqual([]);
    await first.query('COMMIT');
    await first.query('DROP TABLE IF EXISTS pg_temp.other');
  });

  it.each(CHANGES)('%s, of a table that it can not see, can not be made', async (_, change) => {
    await first.query('BEGIN');
    await first.query(`CREATE TEMP TABLE ${STAGED} (c1 int)`);
    await first.query(`INSERT INTO ${STAGED} VALUES (1)`);
    const table = `${await temporarySchema()}.${STAGED}`;
    await expect(second.query(change.replaceAll('<table>', table))).rejects.toMatchObject({ code: '42P01' });
    expect((await exportStaged()).rows).toHaveLength(1);
    await first.query('ROLLBACK');
    expect((await testStack.object('two')).toString()).toBe('1\n');
  });

  it('a table of an earlier subtransaction is one of this transaction', async () => {
    await first.query('BEGIN; SAVEPOINT a; SAVEPOINT b');
    await first.query(`CREATE TEMP TABLE ${STAGED} AS SELECT 2 AS c1`);
    await first.query('RELEASE b; RELEASE a; SAVEPOINT c');
    expect((await exportStaged()).rows).toHaveLength(1);
    await first.query('COMMIT');
    await expect(exportStaged()).rejects.toMatchObject({ code: '42809' });
  });

  it('a table that was altered in this transaction is one of an earlier one', async () => {
    await first.query(`CREATE TEMP TABLE ${STAGED} (c1 int)`);
    await first.query('BEGIN');
    await first.query(`ALTER TABLE pg_temp.${STAGED} ADD COLUMN c2 int`);
    await first.query(`ALTER TABLE pg_temp.${STAGED} RENAME TO other`);
    await first.query(`ALTER TABLE pg_temp.other RENAME TO ${STAGED}`);
    await first.query(`COMMENT ON TABLE pg_temp.${STAGED} IS 'x'`);
    await expect(exportStaged()).rejects.toMatchObject({ code: '42809' });
  });

  it('under a race of 200 exports against a session that changes every staged table it finds', async () => {
    const over = new AbortController();
    let changed = 0;
    const schema = await temporarySchema();
    const changing = (async () => {
      while (!over.signal.aborted) {
        const { rows } = await second.query<{ name: string }>(
          `SELECT relname AS name FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relname LIKE 'aws\\_s3\\_staged\\_%'`,
        );
        for (const { name } of rows) {
          await second
            .query(`CREATE STATISTICS ON (c1 + r.evil()), (c1 * r.evil()) FROM ${schema}.${name}`)
            .then(() => (changed += 1))
            .catch(() => undefined);
        }
      }
    })();
    for (let round = 0; round < 200; round += 1) {
      // Two columns of one name: then PostgreSQL also plans a query on the staged table.
      expect(await exportQuery(first, 'SELECT 1 AS a, 2 AS a', 'race')).toMatchObject({ rows: 1 });
    }
    over.abort();
    await changing;
    expect(changed).toBe(0);
  });
});

describe('the role that copies staged rows', () => {
  it('is no superuser, has no members, and owns the function that copies', async () => {
    const { rows } = await superuser.query(`
      SELECT r.rolsuper, r.rolcanlogin, r.rolbypassrls, r.rolcreaterole,
        (SELECT count(*)::int FROM pg_auth_members WHERE roleid = r.oid) AS members,
        (SELECT array_agg(m.roleid::regrole::text ORDER BY m.roleid::regrole::text) FROM pg_auth_members AS m WHERE m.member = r.oid) AS member_of,
        (SELECT array_agg(p.oid::regprocedure::text) FROM pg_proc AS p WHERE p.proowner = r.oid) AS owns
      FROM pg_roles AS r WHERE r.rolname = 'sluice_copier'`);
    expect(rows).toEqual([
      {
        rolsuper: false,
        rolcanlogin: false,
        rolbypassrls: false,
        rolcreaterole: false,
        members: 0,
        member_of: ['pg_read_all_data', 'pg_write_server_files'],
        owns: ['sluice.copy_staged(text,text,text,name[])'],
      },
    ]);
  });

  it('is who copies: without its right to write to the pipe nothing is', async () => {
    await superuser.query('REVOKE pg_write_server_files FROM sluice_copier');
    try {
      await expect(exportQuery(first, 'SELECT 1', 'copier')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await superuser.query('GRANT pg_write_server_files TO sluice_copier');
    }
    expect(await exportQuery(first, 'SELECT 1', 'copier')).toMatchObject({ rows: 1 });
  });
});

describe('the name of the AWS session', () => {
  it('is that of the role which the session is in, whatever a member of pg_write_server_files says', async () => {
    const member = await testStack.createRole(superuser, { mayExport: true });
    await superuser.query(`GRANT pg_write_server_files TO ${member.name}`);
    const session = await testStack.connect(member);
    await expect(
      session.query(`SELECT sluice.begin_as('c', 'postgres', '${BUCKET}', 'k', NULL, NULL, NULL)`),
    ).rejects.toMatchObject({ code: '42501' });
    await session.query(`SELECT sluice.begin('c', '${BUCKET}', 'named', NULL, NULL, NULL)`);
    await session.query(`SELECT sluice.abort('c', '')`);
    expect(await rolesOf('named')).toEqual([member.name]);
    await session.end();
  });

  it('follows SET ROLE', async () => {
    const role = await testStack.createRole(superuser, { mayExport: true });
    await superuser.query(`GRANT pg_write_server_files TO ${role.name}; SET ROLE ${role.name}`);
    await exportQuery(superuser, 'SELECT 1', 'set-role');
    await superuser.query('RESET ROLE');
    expect(await rolesOf('set-role')).toEqual([role.name]);
  });
});

describe('a connection to the agent that could not be closed', () => {
  it.each([1, 2])('begins no export for who comes by it, by version %i of the protocol', async (version) => {
    const role = await testStack.createRole(superuser, { mayExport: true });
    const session = await testStack.connect();
    await session.query(`SELECT sluice.connect('left'); SET SESSION AUTHORIZATION ${role.name}`);
    for (const key of [undefined, '0'.repeat(64)]) {
      const { rows } = await session.query<{ answer: string }>(
        `SELECT convert_from(decode(answer, 'hex'), 'UTF8') AS answer FROM dblink('left', $1) AS t (answer text)`,
        [`sluice ${version} ${Buffer.from(JSON.stringify(begin({ key }))).toString('hex')}`],
      );
      expect(JSON.parse(rows[0]?.answer ?? '')).toMatchObject({ error: { sqlstate: '08P01' } });
    }
    await session.end();
    expect(await rolesOf('forged')).toEqual([]);
  });
});

function begin({ key }: { key: string | undefined }) {
  return {
    op: 'begin',
    key,
    role: 'postgres',
    database: 'postgres',
    pid: 1,
    clientEncoding: 'UTF8',
    bucket: BUCKET,
    filePath: 'forged',
    region: null,
    options: null,
    backslashEscapes: false,
    kmsKey: null,
  };
}

/** The roles for which the agent has logged exports to this key. */
async function rolesOf(key: string): Promise<string[]> {
  return (await testStack.agentLog())
    .split('\n')
    .filter((line) => line.includes('export begun'))
    .map((line) => JSON.parse(line) as { role: string; key: string })
    .flatMap((line) => (line.key === key ? [line.role] : []));
}
