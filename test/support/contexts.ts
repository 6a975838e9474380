import type pg from 'pg';
import { BUCKET } from './test-stack.ts';

/** What the test of a context gets. */
export interface ContextSession {
  session: pg.Client;
  /** The role of the session. */
  role: string;
  key: string;
  /** A `SELECT` that exports a query to the key followed by `suffix`. */
  exportOf: (query: string, suffix?: string) => string;
}

/** The expected result of an export in a context: it works, or PostgreSQL raises this error. */
export type Expected = 'works' | { code: string; message: string };

export interface Context {
  name: string;
  direct: Expected;
  staged: Expected;
  /** Exports something, and gives the expected content of each object, by key. */
  run: (context: ContextSession) => Promise<Readonly<Record<string, string>>>;
  /** The statement that begins a transaction around `run`. */
  transaction?: string;
  /** SQL that the superuser executes before and after. */
  setUp?: (role: string) => string;
  tearDown?: string;
}

/** The context that runs in a session of the standby. */
export const STANDBY = 'a hot standby';

const READ_ONLY = { code: '25006', message: 'cannot export in a read-only transaction' } as const;
/** The rows of the table that setUp creates. */
const TABLE_ROWS = '1\tone\n2\ttwo\n';

/** Every context in which an export may be called: the rows of docs/contexts.md, with their tests. */
export const CONTEXTS: readonly Context[] = [
  plain('a statement of its own'),
  plain('a transaction', { transaction: 'BEGIN' }),
  plain('a transaction, ISOLATION LEVEL REPEATABLE READ', {
    transaction: 'BEGIN ISOLATION LEVEL REPEATABLE READ',
  }),
  plain('a transaction, ISOLATION LEVEL SERIALIZABLE', { transaction: 'BEGIN ISOLATION LEVEL SERIALIZABLE' }),
  plain('a transaction, READ ONLY', { transaction: 'BEGIN READ ONLY', staged: READ_ONLY }),
  plain('a transaction, SERIALIZABLE READ ONLY DEFERRABLE', {
    transaction: 'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE',
    staged: READ_ONLY,
  }),
  works('after a savepoint, and after it was rolled back', async ({ session, key, exportOf }) => {
    await session.query(`BEGIN; SAVEPOINT s; ${exportOf('SELECT 1', '/1')}; ROLLBACK TO s`);
    await session.query(`${exportOf('SELECT 2', '/2')}; RELEASE s; ${exportOf('SELECT 3', '/3')}; COMMIT`);
    return { [`${key}/1`]: '1\n', [`${key}/2`]: '2\n', [`${key}/3`]: '3\n' };
  }),
  works('rows that the transaction has not committed', async ({ session, key, exportOf }) => {
    await session.query(`
      BEGIN; CREATE TEMP TABLE fresh AS VALUES (1); INSERT INTO fresh VALUES (2);
      ${exportOf('TABLE fresh')}; ROLLBACK`);
    return { [key]: '1\n2\n' };
  }),
  works('several statements in one message', async ({ session, key, exportOf }) => {
    await session.query(`${exportOf('SELECT 1', '/1')}; ${exportOf('SELECT 2', '/2')}`);
    return { [`${key}/1`]: '1\n', [`${key}/2`]: '2\n' };
  }),
  works('a prepared statement with parameters (extended protocol)', async ({ session, key }) => {
    const statement = {
      name: 'exports',
      text: 'SELECT rows_uploaded FROM aws_s3.query_export_to_s3($1, $2, $3, options := $4)',
    };
    for (const n of [1, 2, 3, 4, 5, 6]) {
      // PostgreSQL may use a generic plan from the sixth execution on.
      await session.query({ ...statement, values: [`SELECT ${n}`, BUCKET, `${key}/${n}`, 'format csv'] });
    }
    await session.query('DEALLOCATE exports');
    return { [`${key}/1`]: '1\n', [`${key}/6`]: '6\n' };
  }),
  works('a pipeline of the extended protocol', async ({ session, key, exportOf }) => {
    await pipeline(session, [exportOf('SELECT 1', '/1'), exportOf('SELECT 2', '/2')]);
    return { [`${key}/1`]: '1\n', [`${key}/2`]: '2\n' };
  }),
  works('PREPARE and EXECUTE', async ({ session, key }) => {
    await session.query(`
      PREPARE exports (text, text) AS SELECT aws_s3.query_export_to_s3($1, '${BUCKET}', $2);
      EXECUTE exports('SELECT 1', '${key}/1'); EXECUTE exports('SELECT 2', '${key}/2'); DEALLOCATE exports`);
    return { [`${key}/1`]: '1\n', [`${key}/2`]: '2\n' };
  }),
  works('a cursor, fetched from while others of the session are open', async ({ session, key }) => {
    await session.query(`
      BEGIN;
      DECLARE other CURSOR FOR SELECT generate_series(1, 3);
      DECLARE exports CURSOR FOR
        SELECT aws_s3.query_export_to_s3('SELECT ' || n, '${BUCKET}', '${key}/' || n) FROM generate_series(1, 3) AS n;
      FETCH other; FETCH exports; FETCH other; FETCH exports; CLOSE exports; FETCH other;
      COMMIT`);
    return { [`${key}/1`]: '1\n', [`${key}/2`]: '2\n' };
  }),
  works('for each row of a query', async ({ session, key }) => {
    await session.query(`
      SELECT e.* FROM generate_series(1, 3) AS n,
        LATERAL aws_s3.query_export_to_s3('SELECT ' || n, '${BUCKET}', '${key}/' || n) AS e`);
    return { [`${key}/1`]: '1\n', [`${key}/2`]: '2\n', [`${key}/3`]: '3\n' };
  }),
  works('the query of another export', async ({ session, key, exportOf }) => {
    await session.query(
      exportOf(exportOf('SELECT 7', '/inner').replace('SELECT ', 'SELECT rows_uploaded FROM ')),
    );
    return { [key]: '1\n', [`${key}/inner`]: '7\n' };
  }),
  works('DO, with a loop and an exception handler', async ({ session, key }) => {
    await session.query(`
      DO $do$ BEGIN
        FOR n IN 0..2 LOOP
          BEGIN
            PERFORM aws_s3.query_export_to_s3(format('SELECT 6 / %s', n), '${BUCKET}', '${key}/' || n);
          EXCEPTION WHEN division_by_zero THEN
            PERFORM aws_s3.query_export_to_s3('SELECT 0', '${BUCKET}', '${key}/handled');
          END;
        END LOOP;
      END $do$`);
    return { [`${key}/handled`]: '0\n', [`${key}/1`]: '6\n', [`${key}/2`]: '3\n' };
  }),
  works('a function in PL/pgSQL, SELECT INTO', async ({ session, key }) => {
    await session.query(`
      CREATE FUNCTION pg_temp.exports(key text) RETURNS bigint LANGUAGE plpgsql AS $f$
        DECLARE r record;
        BEGIN
          SELECT * INTO r FROM aws_s3.query_export_to_s3(
            'SELECT 1', aws_commons.create_s3_uri('${BUCKET}', key, 'us-west-2'));
          RETURN r.bytes_uploaded;
        END $f$;
      SELECT pg_temp.exports('${key}'), pg_temp.exports('${key}/2')`);
    return { [key]: '1\n', [`${key}/2`]: '1\n' };
  }),
  works('a function in SQL, and one in its body', async ({ session, key }) => {
    await session.query(`
      CREATE FUNCTION pg_temp.exports(key text) RETURNS bigint LANGUAGE sql AS
        $f$ SELECT rows_uploaded FROM aws_s3.query_export_to_s3('VALUES (1), (2)', '${BUCKET}', key) $f$;
      CREATE FUNCTION pg_temp.outer(key text) RETURNS bigint LANGUAGE sql AS $f$ SELECT pg_temp.exports(key) $f$;
      SELECT pg_temp.outer('${key}')`);
    return { [key]: '1\n2\n' };
  }),
  works('a procedure, with COMMIT and ROLLBACK between exports', async ({ session, key }) => {
    await session.query(`
      CREATE PROCEDURE pg_temp.exports(key text) LANGUAGE plpgsql AS $p$ BEGIN
        FOR n IN 1..4 LOOP
          PERFORM aws_s3.query_export_to_s3('SELECT ' || n, '${BUCKET}', key || '/' || n);
          IF n % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF;
        END LOOP;
      END $p$`);
    await session.query(`CALL pg_temp.exports('${key}')`);
    return { [`${key}/1`]: '1\n', [`${key}/2`]: '2\n', [`${key}/4`]: '4\n' };
  }),
  works('a view that exports', async ({ session, key, exportOf }) => {
    const columns = exportOf('SELECT 1').replace('SELECT ', 'SELECT * FROM ');
    await session.query(`CREATE TEMP VIEW exports AS ${columns}; TABLE exports`);
    return { [key]: '1\n' };
  }),
  works('a trigger, for each row and after the statement', async ({ session, key }) => {
    await session.query(`
      CREATE TEMP TABLE watched (x int);
      CREATE FUNCTION pg_temp.watch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
        PERFORM aws_s3.query_export_to_s3('TABLE watched', '${BUCKET}', '${key}/' || TG_LEVEL || TG_WHEN);
        RETURN NEW;
      END $f$;
      CREATE TRIGGER a BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION pg_temp.watch();
      CREATE TRIGGER b AFTER INSERT ON watched EXECUTE FUNCTION pg_temp.watch();
      INSERT INTO watched VALUES (5)`);
    return { [`${key}/ROWBEFORE`]: '', [`${key}/STATEMENTAFTER`]: '5\n' };
  }),
  works('a deferred constraint trigger, at COMMIT', async ({ session, key }) => {
    await session.query(`
      CREATE TEMP TABLE deferred (x int);
      CREATE FUNCTION pg_temp.late() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
        PERFORM aws_s3.query_export_to_s3('TABLE deferred', '${BUCKET}', '${key}');
        RETURN NULL;
      END $f$;
      CREATE CONSTRAINT TRIGGER a AFTER INSERT ON deferred DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION pg_temp.late();
      BEGIN; INSERT INTO deferred VALUES (1); INSERT INTO deferred VALUES (2); COMMIT`);
    return { [key]: '1\n2\n' };
  }),
  {
    ...works('a SECURITY DEFINER function, with the rights of its owner', async ({ session, key }) => {
      await session.query(`SELECT exports_of_owner('${key}')`);
      return { [key]: TABLE_ROWS };
    }),
    setUp: (role) => `
      CREATE TABLE owned AS VALUES (1, 'one'), (2, 'two');
      ALTER TABLE owned OWNER TO ${role};
      CREATE FUNCTION exports_of_owner(key text) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS
        $f$ SELECT rows_uploaded FROM aws_s3.query_export_to_s3('TABLE owned', '${BUCKET}', key) $f$;
      ALTER FUNCTION exports_of_owner OWNER TO ${role}; GRANT ALL ON SCHEMA public TO ${role}`,
  },
  {
    ...works('after SET ROLE, with the rights of that role', async ({ session, role, key, exportOf }) => {
      await session.query(`SET ROLE ${role}_other; ${exportOf('SELECT * FROM of_other')}; RESET ROLE`);
      return { [key]: TABLE_ROWS };
    }),
    setUp: (role) => `
      CREATE ROLE ${role}_other;
      GRANT ${role}_other TO ${role};
      GRANT USAGE ON SCHEMA aws_s3 TO ${role}_other;
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA aws_s3 TO ${role}_other;
      CREATE TABLE of_other AS VALUES (1, 'one'), (2, 'two');
      ALTER TABLE of_other OWNER TO ${role}_other;
      DO $d$ BEGIN
        IF pg_has_role('${role}', 'pg_write_server_files', 'USAGE') THEN
          GRANT pg_write_server_files TO ${role}_other;
        END IF;
      END $d$`,
  },
  {
    ...works(
      'a table with row-level security: the rows that the role may see',
      async ({ session, key, exportOf }) => {
        await session.query(exportOf('SELECT * FROM secured'));
        return { [key]: '1\n' };
      },
    ),
    setUp: (role) => `
      CREATE TABLE secured AS VALUES (1), (2);
      GRANT SELECT ON secured TO ${role};
      ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
      CREATE POLICY one ON secured USING (column1 = 1)`,
  },
  {
    ...works('a parallel plan', async ({ session, key, exportOf }) => {
      await session.query(`
        SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
        SET parallel_leader_participation = off;
        CREATE FUNCTION pg_temp.is_worker(backend int) RETURNS boolean LANGUAGE plpgsql PARALLEL SAFE
          AS $f$ BEGIN RETURN pg_backend_pid() <> backend; END $f$`);
      const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await session.query(
        `${exportOf(`SELECT sum(column1), count(*), bool_and(pg_temp.is_worker(${rows[0]?.pid})) FROM many`)}; RESET ALL`,
      );
      return { [key]: '50005000\t10000\tt\n' };
    }),
    setUp: (role) => `
      CREATE TABLE many AS SELECT g AS column1 FROM generate_series(1, 10000) AS g;
      GRANT SELECT ON many TO ${role};
      ANALYZE many`,
  },
  {
    ...works(
      'a search_path with "$user", and names that depend on it',
      async ({ session, key, exportOf }) => {
        await session.query(`
        SET search_path = "$user", public;
        ${exportOf("SELECT 'own'::regclass, 'public.not_own'::regclass, 'hidden.t'::regclass, * FROM own")}; RESET search_path`);
        return { [key]: 'own\tnot_own\thidden.t\t1\n' };
      },
    ),
    setUp: (role) => `
      CREATE SCHEMA ${role} AUTHORIZATION ${role};
      CREATE TABLE ${role}.own AS VALUES (1);
      ALTER TABLE ${role}.own OWNER TO ${role};
      CREATE TABLE not_own ();
      CREATE SCHEMA hidden;
      GRANT USAGE ON SCHEMA hidden TO ${role};
      CREATE TABLE hidden.t ()`,
  },
  works(
    'with SET LOCAL and other settings of the session, which stay',
    async ({ session, key, exportOf }) => {
      const settings = `SELECT name, setting, source FROM pg_settings ORDER BY name`;
      // The first export makes PostgreSQL load PL/pgSQL, which adds its own settings.
      await session.query(`
      ${exportOf('SELECT 0')};
      SET TimeZone = 'Asia/Kathmandu'; BEGIN; SET LOCAL DateStyle = 'German'; SET LOCAL search_path = pg_temp, public`);
      const before = (await session.query(settings)).rows;
      await session.query(exportOf(`SELECT timestamptz '2024-01-02 00:00+00'`));
      const after = (await session.query(settings)).rows;
      await session.query('COMMIT; RESET TimeZone');
      if (JSON.stringify(before) !== JSON.stringify(after))
        throw new Error('an export has changed a setting');
      return { [key]: '02.01.2024 05:45:00 +0545\n' };
    },
  ),
  works('with standard_conforming_strings = off', async ({ session, key, exportOf }) => {
    await session.query('SET standard_conforming_strings = off; SET escape_string_warning = off');
    await session.query(exportOf(`SELECT 'tab\\t''; --' -- ;`, '/1'));
    await session.query(exportOf(`WITH a AS (SELECT 'x\\';') SELECT 1 AS a, 2 AS a;`, '/2'));
    await session.query(
      `SELECT aws_s3.query_export_to_s3('VALUES (1, NULL)', '${BUCKET}', '${key}/3', options := $o$delimiter '\\t', null '\\'' $o$)`,
    );
    return { [`${key}/1`]: `tab\\t'; --\n`, [`${key}/2`]: '1\t2\n', [`${key}/3`]: "1\t'\n" };
  }),
  works('with LISTEN and NOTIFY, in the session and in the query', async ({ session, key, exportOf }) => {
    const heard: string[] = [];
    const listener = ({ payload }: pg.Notification) => heard.push(payload ?? '');
    session.on('notification', listener);
    await session.query(`LISTEN heard; BEGIN; NOTIFY heard, 'before'`);
    await session.query(exportOf(`SELECT pg_notify('heard', 'in the query')::text`));
    await session.query(`NOTIFY heard, 'after'; COMMIT`);
    await session.query('UNLISTEN *');
    session.off('notification', listener);
    if (heard.join() !== 'before,in the query,after') throw new Error(`heard ${heard.join()}`);
    return { [key]: '\n' };
  }),
  works(
    'a session that a program of the server opens, as pg_cron does',
    async ({ session, role, key, exportOf }) => {
      const conninfo = `host=127.0.0.1 port=${session.port} dbname=${session.database} user=${role} password=secret`;
      await session.query('SELECT * FROM dblink($1, $2) AS answer (a text)', [
        conninfo,
        exportOf('SELECT 1'),
      ]);
      return { [key]: '1\n' };
    },
  ),
  {
    name: 'PREPARE TRANSACTION after the export',
    direct: 'works',
    staged: {
      code: '0A000',
      message: 'cannot PREPARE a transaction that has operated on temporary objects',
    },
    run: async ({ session, key, exportOf }) => {
      await session.query(`BEGIN; ${exportOf('SELECT 1')}`);
      await session.query(`PREPARE TRANSACTION '${key}'`);
      await session.query(`COMMIT PREPARED '${key}'`);
      return { [key]: '1\n' };
    },
  },
  {
    ...plain('a role that may not make temporary tables'),
    setUp: () => 'REVOKE TEMPORARY ON DATABASE staged FROM PUBLIC',
    tearDown: 'GRANT TEMPORARY ON DATABASE staged TO PUBLIC',
    staged: {
      code: '42501',
      message: 'permission denied to create temporary tables in database "staged"',
    },
  },
  plain('a server with a logical replication slot'),
  { ...plain(STANDBY), staged: READ_ONLY },
];

function plain(name: string, more: Partial<Context> = {}): Context {
  return works(
    name,
    async ({ session, key, exportOf }) => {
      await session.query(exportOf('SELECT 1'));
      return { [key]: '1\n' };
    },
    more,
  );
}

function works(name: string, run: Context['run'], more: Partial<Context> = {}): Context {
  return { name, direct: 'works', staged: 'works', run, ...more };
}

/** The methods of pg's Connection that a pipeline needs. pg's own types do not fit. */
interface PipelineConnection {
  parse(message: { name: string; text: string }): void;
  bind(message: object): void;
  execute(message: object): void;
  sync(): void;
}

/** Sends all statements and then one Sync, like a driver in pipeline mode. */
async function pipeline(session: pg.Client, statements: readonly string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let failure: Error | undefined;
    const ignore = () => undefined;
    const query = {
      submit(connection: PipelineConnection) {
        for (const text of statements) {
          connection.parse({ name: '', text });
          connection.bind({});
          connection.execute({});
        }
        connection.sync();
      },
      handleRowDescription: ignore,
      handleDataRow: ignore,
      handlePortalSuspended: ignore,
      handleEmptyQuery: ignore,
      handleCommandComplete: ignore,
      handleError: (error: Error) => {
        failure = error;
      },
      handleReadyForQuery: () => (failure === undefined ? resolve() : reject(failure)),
    };
    session.query(query as unknown as pg.Submittable);
  });
}
