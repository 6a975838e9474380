import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { CreateBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeAgent } from '../support/fake-agent.ts';
import { BUCKET, exportQuery, TestStack } from '../support/test-stack.ts';

const SECRET = 'top-secret-value';
const STAGED = `aws_s3_staged_${'0'.repeat(32)}`;

let testStack: TestStack;
let superuser: pg.Client;
/** A role that may export, and may execute every function of the schema, as many administrators grant it. */
let mallory: pg.Client;
let password: string;
/** The users other than mallory as whom mallory's code has run. */
let ranAs: string[] = [];

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  const role = await testStack.createRole(superuser, { mayExport: true });
  ({ password } = role);
  await testStack.s3.send(new CreateBucketCommand({ Bucket: 'other-bucket' }));
  await superuser.query(`ALTER ROLE ${role.name} RENAME TO mallory`);
  await superuser.query(`
    ALTER ROLE mallory PASSWORD '${password}';
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA aws_s3 TO mallory;
    CREATE SCHEMA m AUTHORIZATION mallory;
    CREATE TABLE public.victim AS SELECT '${SECRET}'::text AS x`);
  mallory = await testStack.connect({ name: 'mallory', password });
  mallory.on('notice', ({ message = '' }) => {
    const user = /^canary (.*)$/.exec(message)?.[1];
    if (user !== undefined && user !== 'mallory') ranAs.push(user);
  });
  // Reports the user who runs it. m.evil is IMMUTABLE, so that the planner evaluates it.
  await mallory.query(`
    CREATE FUNCTION m.canary() RETURNS int LANGUAGE plpgsql AS
      $$ BEGIN RAISE NOTICE 'canary %', current_user; RETURN 1; END $$;
    CREATE FUNCTION m.evil() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN m.canary(); END $$;
    CREATE FUNCTION m.evil(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN m.canary(); END $$;
    CREATE FUNCTION m.is_evil(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN m.canary() = 1; END $$;
    CREATE FUNCTION m.evil_trigger() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM m.canary(); RETURN NEW; END $$`);
});
beforeEach(() => {
  ranAs = [];
});
afterEach(async () => {
  await mallory.query('ROLLBACK; RESET ALL; DISCARD TEMP');
  await superuser.query('ROLLBACK; RESET ALL');
  expect(ranAs).toEqual([]);
  const { rows } = await superuser.query('SELECT x FROM public.victim');
  expect(rows).toEqual([{ x: SECRET }]);
  expect(await readdir(testStack.directory)).toEqual([]);
  for (const key of await testStack.keys('')) {
    expect((await testStack.object(key)).toString()).not.toContain(SECRET);
  }
  await testStack.expectNothingLeft(superuser, mallory);
});
afterAll(async () => testStack?.stop());

const REFUSED = { code: expect.stringMatching(/^(42601|0A000|42P11|22023|42501)$/) as unknown };

describe.each(['superuser', 'ordinary role'])('a query of a %s', (who) => {
  it.each([
    [`SELECT 1) TO '<file>'; COPY (SELECT 2`, null],
    [`SELECT 1) TO '<file>' --`, null],
    [`SELECT 1) TO '<file>' /*`, null],
    [`SELECT 1) TO PROGRAM $$ touch <file> #`, `null '$$ --'`],
    [`SELECT 1) TO '<file>' WITH (NULL '`, `null 'x') --'`],
    [`SELECT 1; DROP TABLE public.victim`, null],
    [`SELECT 1; COPY public.victim TO '<file>'; SELECT 2`, null],
    [`SELECT 1;;; SELECT 2 --`, null],
    [`SELECT 1 /* ; */; /* ' */ DELETE FROM public.victim /* ' */`, null],
    [`SELECT $a$ ; $b$ $a$; DELETE FROM public.victim`, null],
    [`COPY public.victim TO '<file>'`, null],
    [`DROP TABLE public.victim`, null],
    [`DO $$ BEGIN DELETE FROM public.victim; END $$`, null],
    [`SELECT 1 INTO public.made`, null],
    [`SELECT 1 WITH NO DATA`, null],
    [`SELECT 'not closed`, `null ''''`],
    [`SELECT "not closed`, `quote '"', format csv`],
    [`SELECT $x$ not closed`, `null '$x$'`],
    [`SELECT 1 /* not closed`, `null '*/'`],
    [`SELECT 1 WHERE $1`, null],
    [`-- nothing`, null],
    [`/* nothing */;`, null],
  ])('%s', async (query, options) => {
    const file = join(testStack.directory, 'escaped');
    const session = who === 'superuser' ? superuser : mallory;
    await expect(
      exportQuery(session, query.replaceAll('<file>', file), 'hostile', options),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^(42601|0A000|42P11|42P02)$/) as unknown });
    expect(await testStack.keys('hostile')).toEqual([]);
  });

  it('whose option is what looks like a way out', async () => {
    const session = who === 'superuser' ? superuser : mallory;
    const file = join(testStack.directory, 'escaped');
    const options = `null E'\\') TO PROGRAM \\'touch ${file}\\' --'`;
    expect(await exportQuery(session, 'SELECT 1', 'way-out', options)).toMatchObject({ rows: 1 });
  });

  it('too long for the agent to read', async () => {
    const session = who === 'superuser' ? superuser : mallory;
    const padding = 'x'.repeat(1_100_000);
    await expect(
      exportQuery(session, `SELECT 1 /* ${padding} */; DELETE FROM public.victim; SELECT 2`, 'hostile'),
    ).rejects.toMatchObject(REFUSED);
  });

  it('with strings in which a backslash escapes', async () => {
    const session = who === 'superuser' ? superuser : mallory;
    const query = String.raw`SELECT '\'; DELETE FROM public.victim; --'`;
    await expect(exportQuery(session, query, 'hostile')).rejects.toMatchObject(REFUSED);
    await session.query('SET standard_conforming_strings = off; SET escape_string_warning = off');
    await exportQuery(session, query, 'backslash');
    expect((await testStack.object('backslash')).toString()).toBe(`'; DELETE FROM public.victim; --\n`);
  });

  it.each([
    `format csv) TO '<file>' --`,
    `format csv) TO PROGRAM 'touch <file>' --`,
    `format csv); COPY public.victim TO '<file>'; --`,
    `format csv) WHERE (true`,
    `filename '<file>'`,
    `program 'touch <file>'`,
    `"format csv) TO PROGRAM 'touch <file>' --"`,
    `encoding 'UTF8'') TO ''<file>'`,
    `force_quote (a, b), format csv); DROP TABLE public.victim; --`,
    `format (SELECT x FROM public.victim)`,
    `delimiter pg_read_file('/etc/passwd')`,
    `x ${'('.repeat(50_000)}`,
    'x,'.repeat(60_000),
  ])('options %s', async (options) => {
    const session = who === 'superuser' ? superuser : mallory;
    const file = join(testStack.directory, 'escaped');
    await expect(
      exportQuery(session, 'SELECT 1', 'hostile', options.replaceAll('<file>', file)),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^(42601|22023|0A000|22P05|42704)$/) as unknown });
    expect(await testStack.keys('hostile')).toEqual([]);
  });
});

describe('where to', () => {
  const call = (bucket: string, path: string, region: string | null, kmsKey: string | null) =>
    mallory.query('SELECT aws_s3.query_export_to_s3($1, $2, $3, $4, NULL, $5)', [
      'SELECT 1',
      bucket,
      path,
      region,
      kmsKey,
    ]);

  it.each([
    ['other-bucket/x', 'k', null, null],
    ['sample-bucket?acl', 'k', null, null],
    ['sample-bucket#', 'k', null, null],
    ['..', 'k', null, null],
    ['169.254.169.254', 'k', null, null],
    ['evil.example:80', 'k', null, null],
    ['user@evil', 'k', null, null],
    ['sample-bucket\r\nHost: evil', 'k', null, null],
    ['arn:aws:s3:::sample-bucket', 'k', null, null],
    ['sample-bucket', 'k', 'evil.example/', null],
    ['sample-bucket', 'k', 'us-west-2.evil.example', null],
    ['sample-bucket', 'k', 'us-west-2#', null],
    ['sample-bucket', 'k', 'x@evil', null],
    ['sample-bucket', 'k', '__proto__', null],
    ['sample-bucket', 'k', null, 'key\r\nx-amz-acl: public-read'],
    ['sample-bucket', 'k', null, '\u001b[31m'],
    ['sample-bucket', 'k'.repeat(2_000), null, null],
  ])('%j, %j, %j, %j is refused before anything is sent', async (bucket, path, region, kmsKey) => {
    await expect(call(bucket, path, region, kmsKey)).rejects.toMatchObject({ code: '22023' });
  });

  it.each([
    '../other-bucket/x',
    '//../../other-bucket/x',
    'a?acl',
    'a#b',
    'a%2F..%2F..%2Fother-bucket',
    'a\r\nx-amz-acl: public-read',
    '\u001b[31m\u009b31m\u202ered',
    `'; DROP TABLE public.victim; --`,
  ])('the path %j is only a key', async (path) => {
    await call(BUCKET, `safe/${path}`, null, null);
    expect((await testStack.object(`safe/${path}`)).toString()).toBe('1\n');
    const others = await testStack.s3.send(new ListObjectsV2Command({ Bucket: 'other-bucket' }));
    expect(others.KeyCount).toBe(0);
  });
});

describe("with the definer's rights runs nothing", () => {
  it.each([
    ['a function', '', 'SELECT m.canary()'],
    ['an operator', 'CREATE OPERATOR m.@@@ (RIGHTARG = int, FUNCTION = m.evil)', 'SELECT OPERATOR(m.@@@) 1'],
    [
      'a cast',
      'CREATE TYPE m.t AS (a int); CREATE FUNCTION m.c(m.t) RETURNS int LANGUAGE sql AS $$ SELECT m.canary() $$; CREATE CAST (m.t AS int) WITH FUNCTION m.c(m.t)',
      'SELECT ROW(1)::m.t::int',
    ],
    ['a view', 'CREATE VIEW m.v AS SELECT m.canary() AS x', 'SELECT * FROM m.v'],
    [
      'a rule',
      'CREATE TABLE m.r (x int); CREATE RULE r AS ON INSERT TO m.r DO INSTEAD SELECT m.canary()',
      'TABLE m.r',
    ],
    [
      'a policy',
      'CREATE TABLE m.p AS SELECT 1 AS x; ALTER TABLE m.p ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY p ON m.p USING (m.canary() = 1)',
      'TABLE m.p',
    ],
    ['a domain', 'CREATE DOMAIN m.d AS int CHECK (m.is_evil(VALUE))', 'SELECT 1::m.d AS a, 1::m.d AS a'],
    [
      'a default',
      'CREATE TABLE m.f (x int DEFAULT m.canary())',
      'INSERT INTO m.f DEFAULT VALUES RETURNING *',
    ],
    [
      'a generated column',
      'CREATE TABLE m.g (x int, y int GENERATED ALWAYS AS (m.evil(x)) STORED)',
      'INSERT INTO m.g VALUES (1) RETURNING *',
    ],
    [
      'a trigger',
      'CREATE TABLE m.t2 (x int); CREATE TRIGGER t BEFORE INSERT ON m.t2 FOR EACH ROW EXECUTE FUNCTION m.evil_trigger()',
      'INSERT INTO m.t2 VALUES (1) RETURNING *',
    ],
    [
      'an aggregate',
      'CREATE FUNCTION m.s(int, int) RETURNS int LANGUAGE sql AS $$ SELECT m.canary() $$; CREATE AGGREGATE m.a(int) (SFUNC = m.s, STYPE = int, INITCOND = 0)',
      'SELECT m.a(1)',
    ],
    [
      'a range of its own',
      'CREATE TYPE m.r2 AS RANGE (SUBTYPE = int)',
      'SELECT m.r2(1, 2) AS a, m.r2(1, 2) AS a',
    ],
    [
      'an index of its table',
      'CREATE TABLE m.i AS SELECT 1 AS x; CREATE INDEX ON m.i ((x + m.evil()))',
      'SELECT x, x FROM m.i',
    ],
  ])('%s of the query', async (_, setup, query) => {
    await mallory.query(setup);
    expect(await exportQuery(mallory, query, 'definer')).toMatchObject({ files: 1 });
  });

  it.each([
    ['an index', `CREATE INDEX ON pg_temp.${STAGED} ((c1 + m.evil()))`],
    ['a partial index', `CREATE INDEX ON pg_temp.${STAGED} (c1) WHERE c1 > m.evil()`],
    ['statistics', `CREATE STATISTICS m.st ON (c1 + m.evil()), (c1 * m.evil()) FROM pg_temp.${STAGED}`],
    ['a check', `ALTER TABLE pg_temp.${STAGED} ADD CHECK (c1 > m.evil() - 9); SET constraint_exclusion = on`],
    [
      'a trigger',
      `CREATE TRIGGER t BEFORE INSERT ON pg_temp.${STAGED} FOR EACH ROW EXECUTE FUNCTION m.evil_trigger()`,
    ],
    ['a rule', `CREATE RULE r AS ON INSERT TO pg_temp.${STAGED} DO ALSO SELECT m.canary()`],
    ['a child', `CREATE TEMP TABLE child (CHECK (c1 > m.evil())) INHERITS (${STAGED})`],
    [
      'a policy',
      `ALTER TABLE pg_temp.${STAGED} ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON pg_temp.${STAGED} USING (m.canary() = 1)`,
    ],
    ['a default', `ALTER TABLE pg_temp.${STAGED} ADD COLUMN d int DEFAULT m.canary()`],
    [
      'a generated column',
      `ALTER TABLE pg_temp.${STAGED} ADD COLUMN g int GENERATED ALWAYS AS (m.evil(c1)) STORED`,
    ],
    ['a view on it', `CREATE TEMP VIEW v AS SELECT c1 + m.canary() FROM pg_temp.${STAGED}`],
    [
      'a view in its place',
      `ALTER TABLE pg_temp.${STAGED} RENAME TO gone; CREATE TEMP VIEW ${STAGED} AS SELECT m.canary() AS c1`,
    ],
    [
      'a partitioned table in its place',
      `DROP TABLE pg_temp.${STAGED}; CREATE TEMP TABLE ${STAGED} (c1 int) PARTITION BY RANGE ((c1 + m.evil(c1)))`,
    ],
    [
      'a partition in its place',
      `DROP TABLE pg_temp.${STAGED}; CREATE TEMP TABLE parent (c1 int) PARTITION BY RANGE (c1); CREATE TEMP TABLE ${STAGED} PARTITION OF parent DEFAULT`,
    ],
  ])('%s, when the helper is called with a table that has it', async (_, setup) => {
    // All in one transaction, because a table of an earlier transaction is refused in any case.
    await mallory.query('BEGIN');
    await mallory.query(`CREATE TEMP TABLE ${STAGED} (c1 int); INSERT INTO ${STAGED} VALUES (1)`);
    await mallory.query(setup);
    for (const names of ['NULL', `ARRAY['a"; DROP TABLE public.victim; --']`]) {
      await mallory.query('SAVEPOINT s');
      await expect(
        mallory.query(
          `SELECT aws_s3._export_staged('pg_temp.${STAGED}'::regclass, ${names}, '{m,public}', '${BUCKET}', 'hostile', NULL, NULL, NULL)`,
        ),
      ).rejects.toMatchObject({ message: 'not a table of staged rows' });
      await mallory.query('ROLLBACK TO s');
    }
    await mallory.query('ROLLBACK');
  });

  it.each([[`'m'; SET ROLE postgres`], [`m, "$user", pg_temp`], [`m"; DROP TABLE public.victim; --`]])(
    'a search_path %j given to the helper',
    async (path) => {
      const refused: unknown[] = [];
      await mallory.query('BEGIN');
      await mallory.query(`CREATE TEMP TABLE ${STAGED} AS SELECT 1 AS c1`);
      await mallory.query(
        `CREATE OR REPLACE FUNCTION m.set_config(text, text, bool) RETURNS text LANGUAGE sql AS $$ SELECT m.canary()::text $$`,
      );
      await mallory
        .query(
          `SELECT aws_s3._export_staged('pg_temp.${STAGED}'::regclass, NULL, ARRAY[$1]::name[], '${BUCKET}', 'own', NULL, NULL, NULL)`,
          [path],
        )
        .catch((error: unknown) => refused.push((error as pg.DatabaseError).code));
      expect(refused.filter((code) => code !== '22023')).toEqual([]);
      await mallory.query('ROLLBACK');
      const { rows } = await mallory.query(`SELECT current_user, current_setting('search_path') AS path`);
      expect(rows).toEqual([{ current_user: 'mallory', path: '"$user", public' }]);
    },
  );

  it('objects of the temporary schema that are named like ours', async () => {
    for (const name of ['pg_class', 'pg_namespace', 'pg_foreign_server', 'pg_extension', 'pg_depend'])
      await mallory.query(`CREATE TEMP TABLE ${name} AS SELECT * FROM pg_catalog.${name} WHERE false`);
    await mallory.query(`CREATE FUNCTION pg_temp.format(text, text) RETURNS text LANGUAGE sql AS $$ SELECT m.canary()::text $$;
      CREATE TYPE pg_temp.text AS (x int); SET search_path = pg_temp, m, pg_catalog`);
    await exportQuery(mallory, 'SELECT 1 AS a, 2 AS a', 'temp', 'format csv, header');
    expect((await testStack.object('temp')).toString()).toBe('a,a\n1,2\n');
  });

  it('names that are SQL', async () => {
    await exportQuery(
      mallory,
      `SELECT 1 AS "a""; DROP TABLE victim; --", 2 AS "a""; DROP TABLE victim; --"`,
      'names',
      'format csv, header',
    );
    expect((await testStack.object('names')).toString()).toBe(
      `"a""; DROP TABLE victim; --","a""; DROP TABLE victim; --"\n1,2\n`,
    );
  });

  it.each(['superuser', 'ordinary role'])('what the query of a %s leaves set', async (who) => {
    const session = who === 'superuser' ? superuser : mallory;
    const exported = await exportQuery(
      session,
      `SELECT set_config('search_path', 'm, pg_temp', false) || set_config('standard_conforming_strings', 'off', false)`,
      'set',
    );
    expect(exported).toMatchObject({ rows: 1 });
  });

  it('an event trigger, which mallory may not make', async () => {
    await expect(
      mallory.query('CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION m.evil_trigger()'),
    ).rejects.toMatchObject({ code: '42501' });
  });
});

describe('the helpers and the agent', () => {
  it('no function of schema sluice can be called by mallory, nor the schema used', async () => {
    const { rows } = await mallory.query<{ reachable: boolean; count: string }>(`
      SELECT bool_or(has_function_privilege(p.oid, 'EXECUTE')) OR bool_or(has_schema_privilege(p.pronamespace, 'USAGE')) AS reachable, count(*)
      FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'sluice'`);
    expect(rows[0]).toMatchObject({ reachable: false });
    expect(Number(rows[0]?.count)).toBeGreaterThan(8);
  });

  it('every function of the extension that runs as its owner has a fixed search_path', async () => {
    const { rows } = await superuser.query(`
      SELECT p.oid::regprocedure::text FROM pg_proc AS p
      WHERE p.pronamespace IN ('sluice'::regnamespace, 'aws_s3'::regnamespace)
        AND (p.prosecdef OR p.pronamespace = 'sluice'::regnamespace)
        AND p.prolang <> (SELECT l.oid FROM pg_language AS l WHERE l.lanname = 'c') -- those of dblink
        AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)`);
    expect(rows).toEqual([]);
  });

  it.each([
    `SELECT dblink_connect('c', 'sluice_agent')`,
    `SELECT dblink_connect('c', 'host=<socket> port=5432 user=sluice dbname=sluice')`,
    `SELECT dblink_connect('c', 'host=<socket> port=5432 user=sluice password=x')`,
    `SELECT * FROM dblink('host=<socket> port=5432 user=sluice password=x', 'sluice 2 7b7d') AS t(x text)`,
    `SELECT dblink_connect_u('c', 'host=<socket> port=5432')`,
    `ALTER SERVER sluice_agent OPTIONS (SET host '/tmp')`,
    `ALTER SERVER sluice_agent OWNER TO mallory`,
    `DROP SERVER sluice_agent CASCADE`,
    `CREATE USER MAPPING FOR mallory SERVER sluice_agent OPTIONS (user 'x', password 'y')`,
    `CREATE SERVER s FOREIGN DATA WRAPPER dblink_fdw OPTIONS (host '<socket>')`,
    `COPY (SELECT 1) TO '<socket>/pipes/x'`,
    `SELECT pg_ls_dir('<socket>/pipes')`,
    `SELECT pg_read_file('<socket>/pipes/x')`,
    `SELECT lo_export(1, '<socket>/pipes/x')`,
    `CREATE OR REPLACE FUNCTION aws_s3._export_staged() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
    `CREATE FUNCTION sluice.begin() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
    `ALTER EXTENSION aws_s3 ADD FUNCTION m.canary()`,
  ])('mallory can not %s', async (statement) => {
    await expect(
      mallory.query(statement.replaceAll('<socket>', testStack.stack.agent.socketDirectory)),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|2F003|42704)$/) as unknown });
  });

  it('a setting of the session moves no connection', async () => {
    await mallory.query(`SET sluice.socket_directory = '/tmp'`);
    expect(await exportQuery(mallory, 'SELECT 1', 'setting')).toMatchObject({ rows: 1 });
  });

  it.each(['_export', '_export_staged'])('%s asks for the right to export', async (helper) => {
    const role = await testStack.createRole(superuser, { mayExport: false });
    await superuser.query(`GRANT USAGE ON SCHEMA aws_s3 TO ${role.name}`);
    const session = await testStack.connect(role);
    await session.query('BEGIN');
    await session.query(`CREATE TEMP TABLE ${STAGED} AS SELECT 1 AS c1`);
    const args = helper === '_export' ? `'SELECT 1'` : `'pg_temp.${STAGED}'::regclass, NULL, '{public}'`;
    await expect(
      session.query(`SELECT aws_s3.${helper}(${args}, '${BUCKET}', 'hostile', NULL, NULL, NULL)`),
    ).rejects.toMatchObject({ code: '42501' });
    await session.end();
  });
});

describe("mallory's function in the query of a superuser's direct export", () => {
  const ask = (json: object) => `sluice 2 ${Buffer.from(JSON.stringify(json)).toString('hex')}`;
  const install = (body: string) =>
    mallory.query(`CREATE OR REPLACE FUNCTION m.inside() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $f$
      DECLARE c text := (public.dblink_get_connections())[1]; a text;
      BEGIN ${body} RETURN 'x'; END $f$`);
  const request = (json: object) =>
    `SELECT t.a INTO a FROM public.dblink(c, '${ask(json)}') AS t(a text);
     a := convert_from(decode(a, 'hex'), 'UTF8');`;
  const BEGIN = {
    op: 'begin',
    role: 'x',
    database: 'x',
    pid: 1,
    clientEncoding: 'UTF8',
    bucket: BUCKET,
    filePath: 'hostile',
    region: null,
    options: null,
    backslashEscapes: false,
    kmsKey: null,
  };

  it.each([
    ['begins another', request(BEGIN) + `ASSERT a LIKE '%only be begun by who opened%', a;`],
    [
      'begins another after an abort',
      request({ op: 'abort' }) + request(BEGIN) + `ASSERT a LIKE '%only be begun by who opened%', a;`,
    ],
    [
      'commits without the token',
      request({ op: 'commit', token: '0'.repeat(32), rows: '1' }) + `ASSERT a LIKE '%not the export%', a;`,
    ],
    [
      'commits with no token',
      request({ op: 'commit', token: '', rows: '1' }) + `ASSERT a LIKE '%not the export%', a;`,
    ],
    [
      'reads an answer that is not its own',
      `ASSERT (SELECT count(*) FROM public.dblink_get_result(c) AS t(x text)) = 0;`,
    ],
    ['disconnects', `PERFORM public.dblink_disconnect(c);`],
    ['leaves a request on its way', `PERFORM public.dblink_send_query(c, '${ask({ op: 'ping' })}');`],
    ['leaves a query that is none', `PERFORM public.dblink_send_query(c, 'SELECT 1');`],
  ])('%s', async (_, body) => {
    await install(body);
    const outcome = await exportQuery(superuser, 'SELECT m.inside()', 'inside').then(
      () => 'exported',
      (error: unknown) => (error as pg.DatabaseError).code,
    );
    expect(outcome).toMatch(/^(exported|08|0A000|57014|58000|XX000)/);
    expect(await testStack.keys('hostile')).toEqual([]);
    for (const key of await testStack.keys('inside'))
      expect((await testStack.object(key)).toString()).toBe('x\n');
  });

  it('puts a connection of its own in the place of ours, and is not believed', async () => {
    await using fake = await FakeAgent.start({
      asksForPassword: true,
      answer: () => ({ json: { state: 'done', files: 1, bytes: 2, receipt: '0'.repeat(32) } }),
    });
    await install(`PERFORM public.dblink_disconnect(c);
      PERFORM public.dblink_connect(c, 'host=127.0.0.1 port=${fake.port} user=x password=y dbname=x sslmode=disable');`);
    await expect(
      exportQuery(superuser, 'SELECT 1 WHERE m.inside() IS NULL', 'inside-replaced'),
    ).rejects.toMatchObject({
      code: '08P01',
      message: "the answer to the commit is not the Sluice agent's",
    });
    expect(fake.requests.map(({ op }) => op)).toEqual(['commit']);
    expect(await testStack.keys('inside-replaced')).toEqual([]);
  });
});
