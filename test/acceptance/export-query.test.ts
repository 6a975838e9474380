import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exportQuery, type SourceClient } from '../../packages/sluice/src/index.ts';
import { FakePostgres } from '../../packages/sluice/test/source/fake-postgres.ts';
import { bytesSource, eventually } from '../../packages/sluice/test/exporter/sources.ts';
import {
  COPY_DONE,
  commandComplete,
  copyOutResponse,
  message,
  READY,
} from '../../packages/sluice/test/source/messages.ts';
import type { RowFormat } from '../../packages/sluice/src/index.ts';
import { exportToS3 } from '../../packages/sluice/src/index.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

let testStack: TestStack;
let superuser: SourceClient;
let database: string;
let count = 0;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  database = testStack.stack.postgres.url;
  await superuser.query(`
    CREATE TABLE item AS SELECT n AS id, repeat('x"' || E'\\n', n % 50) AS pad FROM generate_series(1, 5000) AS n;
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);`);
});
afterEach(async () => {
  await testStack.expectNothingLeft(superuser);
  await eventually(async () => (await sessions()) === 0);
});
afterAll(async () => testStack?.stop());

/** Sessions that exports have opened and not closed. */
async function sessions(): Promise<number> {
  const { rows } = await superuser.query(`SELECT FROM pg_stat_activity WHERE application_name = 'sluice'`);
  return rows.length;
}

function target() {
  return { connection: testStack.s3Connection, bucket: BUCKET, key: `outside-${++count}` };
}

async function rowsOf(table: string): Promise<number> {
  const { rows } = await superuser.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
  return rows[0]?.n ?? -1;
}

describe('an export from outside', () => {
  const FORMATS: [string, RowFormat][] = [
    ['', { format: 'text', header: false }],
    ['format csv, header', { format: 'csv', header: true, quote: '"', escape: '"', encoding: 'UTF8' }],
    ['format binary', { format: 'binary' }],
  ];
  it.each(FORMATS)(
    'is cut into the same files as by reading the bytes: %s',
    async (copyOptions, rowFormat) => {
      const query = 'SELECT * FROM item ORDER BY id';
      const copied = await testStack.copy(superuser, query, copyOptions);
      for (const fileLimitBytes of [9_000, 20_000, 65_536, copied.byteLength - 100]) {
        const outside = await exportQuery({ database, query, copyOptions, fileLimitBytes, ...target() });
        const source = bytesSource([copied]);
        const read = await exportToS3({ source, rowFormat, fileLimitBytes, ...target() });
        expect(outside.files.map(({ bytes }) => bytes)).toEqual(read.files.map(({ bytes }) => bytes));
        expect([outside.rows, outside.bytes]).toEqual([5000n, copied.byteLength]);
        const [first, second] = outside.files;
        expect(second?.key).toBe(`${first?.key}_part2`);
        const objects = await Promise.all(outside.files.map(({ key }) => testStack.object(key)));
        expect(Buffer.concat(objects).equals(copied)).toBe(true);
      }
    },
  );

  it('tells of its progress, and stores the type of the bytes', async () => {
    const progress: number[] = [];
    const { connection, bucket, key } = target();
    const { bytes } = await exportQuery({
      database,
      query: 'SELECT * FROM item; -- all of them',
      copyOptions: 'format csv',
      connection,
      bucket,
      key,
      onProgress: ({ bytesStored }) => progress.push(bytesStored),
    });
    expect(progress.at(-1)).toBe(bytes);
  });

  it('has no time limit of the role, and leaves the limit to others', async () => {
    const role = await testStack.createRole(superuser, { mayExport: false });
    await superuser.query(`ALTER ROLE ${role.name} SET statement_timeout = 300`);
    const url = new URL(database);
    url.username = role.name;
    url.password = role.password;
    const query = 'SELECT pg_sleep(0.5)';
    const { rows } = await exportQuery({ database: url.href, query, ...target() });
    expect(rows).toBe(1n);
  });

  it.each([
    ['SELECT 1; SELECT 2', 'options_syntax'],
    [' ; -- nothing', 'options_syntax'],
    ['SELECT * FROM nowhere', '42P01'],
    ['SELECT 1) TO STDOUT WITH (FORMAT csv', '42601'],
    [`SELECT 1) TO PROGRAM 'true' WITH (DELIMITER ','`, '42601'],
    ['SELECT 1 / (5000 - id) FROM item ORDER BY id', '22012'],
    ['DELETE FROM item', '0A000'],
  ])('does not run: %s', async (query, code) => {
    const where = target();
    await expect(exportQuery({ database, query, ...where })).rejects.toMatchObject({ code });
    expect(await testStack.keys(where.key)).toEqual([]);
    expect(await rowsOf('item')).toBe(5000);
  });

  it('refuses options that are none', async () => {
    const refused = exportQuery({ database, query: 'SELECT 1', copyOptions: 'format csv) --', ...target() });
    await expect(refused).rejects.toMatchObject({ code: 'options_syntax' });
  });

  it('deletes the rows that it has stored, and none when it could not', async () => {
    await superuser.query('CREATE TABLE queue AS SELECT generate_series(1, 1000) AS id');
    const query = 'DELETE FROM queue RETURNING id';
    const nowhere = exportQuery({ database, query, ...target(), bucket: 'no-such-bucket' });
    await expect(nowhere).rejects.toMatchObject({ code: 'upload_failed' });
    expect(await rowsOf('queue')).toBe(1000);
    const { rows } = await exportQuery({ database, query, ...target() });
    expect([rows, await rowsOf('queue')]).toEqual([1000n, 0]);
  });

  it('takes the objects back when the transaction cannot be committed', async () => {
    const where = target();
    const query = 'INSERT INTO child SELECT generate_series(1, 10) RETURNING id';
    await expect(exportQuery({ database, query, ...where })).rejects.toMatchObject({ code: '23503' });
    expect(await testStack.keys(where.key)).toEqual([]);
    expect(await rowsOf('child')).toBe(0);
  });

  it('leaves the objects, and says so, when the answer to the commit is lost', async () => {
    await using server = await FakePostgres.start((socket, sql) => {
      if (sql === 'COMMIT') socket.destroy();
      else if (!sql.startsWith('COPY')) socket.write(Buffer.concat([commandComplete('BEGIN'), READY]));
      else
        socket.write(
          Buffer.concat([
            copyOutResponse(),
            message('d', '1\n'),
            COPY_DONE,
            commandComplete('COPY 1'),
            READY,
          ]),
        );
    });
    const where = target();
    const lost = exportQuery({ database: server.url, query: 'SELECT 1', ...where });
    await expect(lost).rejects.toMatchObject({ code: 'database_unavailable', retryable: false });
    expect((await testStack.object(where.key)).toString()).toBe('1\n');
  });

  it.each(['SELECT pg_sleep(60)', 'SELECT generate_series(1, 1000000000)'])(
    'ends at its signal: %s',
    async (query) => {
      const abortion = new AbortController();
      const where = target();
      const ended = exportQuery({ database, query, signal: abortion.signal, ...where });
      ended.catch(() => undefined);
      await eventually(async () => (await sessions()) === 1);
      abortion.abort('enough');
      await expect(ended).rejects.toBe('enough');
      expect(await testStack.keys(where.key)).toEqual([]);
    },
  );

  it('publishes nothing when its session is ended', async () => {
    const where = target();
    const ended = exportQuery({ database, query: 'SELECT generate_series(1, 1000000000)', ...where });
    ended.catch(() => undefined);
    await eventually(async () => (await sessions()) === 1);
    // In the middle of the COPY or before.
    await superuser.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice'`,
    );
    await expect(ended).rejects.toMatchObject({ code: 'database_unavailable', retryable: true });
    expect(await testStack.keys(where.key)).toEqual([]);
  });
});

describe("an export on the caller's client", () => {
  it('is a part of the transaction that the client is in', async () => {
    const client = await testStack.connect();
    await client.query('BEGIN; CREATE TEMP TABLE mine AS SELECT 42 AS x');
    const where = target();
    const { rows } = await exportQuery({ database: client, query: 'DELETE FROM mine RETURNING x', ...where });
    expect([rows, (await testStack.object(where.key)).toString()]).toEqual([1n, '42\n']);
    expect(client.getTransactionStatus()).toBe('T');
    await client.query('ROLLBACK');
    await client.end();
  });

  it('is a transaction of its own otherwise, and leaves the client connected, also when it fails', async () => {
    const client = await testStack.connect();
    await client.query(`SET statement_timeout = '10s'`);
    for (const query of ['SELECT 1 / 0', 'SELECT 1', 'SELECT 1; SELECT 2', 'SELECT 2']) {
      await exportQuery({ database: client, query, ...target() }).catch(() => undefined);
      expect(client.getTransactionStatus()).toBe('I');
    }
    const { rows } = await client.query('SHOW statement_timeout');
    expect(rows).toEqual([{ statement_timeout: '10s' }]);
    await client.end();
  });
});
