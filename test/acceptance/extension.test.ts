import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasClient, runClient } from '../support/clients.ts';
import { exportQuery, TestStack } from '../support/test-stack.ts';

let testStack: TestStack;
let superuser: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
});
afterAll(async () => testStack?.stop());

/** A session in a new, empty database. */
async function inNewDatabase(
  name: string,
  work: (client: pg.Client, url: string) => Promise<void>,
): Promise<void> {
  await superuser.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
  const url = new URL(testStack.stack.postgres.url);
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await work(client, url.href);
  } finally {
    await client.end();
  }
}

describe('the extension', () => {
  it('has the functions of aws_s3 1.2 and aws_commons 1.2, and the other name that the guide has for one', async () => {
    const { rows } = await superuser.query<{ signature: string }>(`
      SELECT p.oid::regprocedure || ' -> ' || pg_get_function_result(p.oid) || format(' %s%s', p.provolatile, p.proparallel) AS signature
      FROM pg_proc AS p
      WHERE pronamespace IN ('aws_s3'::regnamespace, 'aws_commons'::regnamespace) AND proname NOT LIKE '\\_%'
      ORDER BY 1`);
    expect(rows.map(({ signature }) => signature)).toEqual([
      'aws_commons.create_aws_credentials(text,text,text) -> aws_commons._aws_credentials_1 is',
      'aws_commons.create_s3_uri(text,text,text) -> aws_commons._s3_uri_1 is',
      'aws_s3.export_query_to_s3(text,aws_commons._s3_uri_1,text,text) -> record vu',
      'aws_s3.export_query_to_s3(text,text,text,text,text,text) -> record vu',
      'aws_s3.query_export_to_s3(text,aws_commons._s3_uri_1,text,text) -> record vu',
      'aws_s3.query_export_to_s3(text,text,text,text,text,text) -> record vu',
    ]);
  });

  it('is dropped and made again, in a database of another encoding, with dblink in a schema of its own', async () => {
    await inNewDatabase('latin', async (client) => {
      await client.query('CREATE SCHEMA "odd Schema"; CREATE EXTENSION dblink SCHEMA "odd Schema"');
      for (let round = 0; round < 2; round += 1) {
        await client.query('CREATE EXTENSION IF NOT EXISTS aws_s3 CASCADE');
        await exportQuery(client, `SELECT 'é'`, 'clé', "encoding 'LATIN1'");
        expect(await testStack.object('clé')).toEqual(Buffer.from('é\n', 'latin1'));
        await client.query('DROP EXTENSION aws_s3');
      }
      await client.query('DROP EXTENSION aws_commons');
      const { rows } = await client.query(
        `SELECT nspname FROM pg_namespace WHERE nspname IN ('aws_s3', 'aws_commons', 'sluice')`,
      );
      expect(rows).toEqual([]);
    });
  });

  it('an agent that does not run is named, with what to do', async () => {
    await superuser.query('BEGIN');
    await superuser.query(`ALTER SERVER sluice_agent OPTIONS (SET host '/nowhere/it''s \\ here')`);
    await expect(exportQuery(superuser, 'SELECT 1', 'x')).rejects.toMatchObject({
      code: '08001',
      message: `could not connect to the Sluice agent at "/nowhere/it's \\ here/.s.PGSQL.5432"`,
      hint: expect.stringContaining('sluice agent --config') as unknown,
    });
    await superuser.query('ROLLBACK');
  });

  it.each([
    ['query', [null, 'sample-bucket', 'key']],
    ['bucket', ['SELECT 1', null, 'key']],
    ['file_path', ['SELECT 1', 'sample-bucket', null]],
  ])('NULL for %s is refused by name', async (name, values) => {
    await expect(
      superuser.query('SELECT aws_s3.query_export_to_s3($1, $2, $3)', values),
    ).rejects.toMatchObject({
      code: '22004',
      message: `${name} must not be NULL`,
    });
  });
});

describe.skipIf(!hasClient('pg_dump') || !hasClient('psql'))('pg_dump and restore', () => {
  it('carry the extension, and the grants on it', async () => {
    // pg_dump can dump only servers up to its own version.
    const version = Number(/(\d+)/.exec((await runClient('pg_dump', ['--version'])).stdout)?.[1]);
    const major = Math.min(version, 18) as 14 | 15 | 16 | 17 | 18;
    await using source = await TestStack.start({ pgVersion: major });
    const client = await source.connect();
    const role = await source.createRole(client, { mayExport: true });
    await client.query('CREATE TABLE kept AS SELECT 7 AS x');
    await client.query(`GRANT SELECT ON kept TO ${role.name}`);
    const dump = await runClient('pg_dump', [source.stack.postgres.url]);
    expect(dump).toMatchObject({ status: 0, stderr: '' });
    await client.query('CREATE DATABASE restored');
    const url = new URL(source.stack.postgres.url);
    url.pathname = '/restored';
    const restore = await runClient('psql', [url.href, '-X', '-q', '-v', 'ON_ERROR_STOP=1'], {
      input: dump.stdout,
    });
    expect(restore.status, restore.stderr).toBe(0);
    url.username = role.name;
    url.password = role.password;
    const restored = new pg.Client({ connectionString: url.href });
    await restored.connect();
    expect(await exportQuery(restored, 'SELECT * FROM kept', 'restored')).toMatchObject({ rows: 1 });
    await restored.end();
    expect((await source.object('restored')).toString()).toBe('7\n');
  });
});
