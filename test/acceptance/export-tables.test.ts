import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { HeadObjectCommand, ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { allow, AwsAccount } from '../support/aws-account.ts';
import { runExport, startExport } from '../support/export-command.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

const ROWS = 60_000;
/** Of --file-size, so that the large table has several pieces. */
const SMALL_FILES = ['--file-size', '1MiB'];

let testStack: TestStack;
let superuser: pg.Client;
let database: string;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  database = testStack.stack.postgres.url;
  await superuser.query(`
    CREATE TABLE large AS SELECT id, repeat(md5(id::text), 3) AS filler FROM generate_series(1, ${ROWS}) AS id;
    CREATE TABLE "Mixed Case" (a int, b text);
    INSERT INTO "Mixed Case" VALUES (1, E'tab\\t"quote"'), (2, NULL);
    CREATE TABLE empty (a int);
    CREATE VIEW recent AS SELECT * FROM large WHERE id > ${ROWS - 10};
    CREATE TABLE parts (id int, t text) PARTITION BY RANGE (id);
    CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
    CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
    INSERT INTO parts SELECT id, 'row ' || id FROM generate_series(1, 1000) AS id;
    ANALYZE`);
});
afterAll(async () => testStack?.stop());

let prefix: string;
let count = 0;
beforeEach(() => {
  count += 1;
  prefix = `export-${count}/`;
});
afterEach(async () => {
  const { Uploads = [] } = await testStack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  expect(Uploads).toEqual([]);
  const { rows } = await superuser.query(
    `SELECT application_name, query FROM pg_stat_activity WHERE application_name = 'sluice'`,
  );
  expect(rows).toEqual([]);
});

const exportTo = (...args: string[]) =>
  runExport(testStack, [`s3://${BUCKET}/${prefix}`, '-d', database, ...args]);

/** The lines of a table's files, in order. */
async function linesOf(folder: string): Promise<string[]> {
  const keys = await testStack.keys(`${prefix}${folder}/`);
  const objects = await Promise.all(keys.map((key) => testStack.object(key)));
  return objects
    .map((object, index) => ((keys[index] ?? '').endsWith('.gz') ? gunzipSync(object) : object))
    .flatMap((object) => object.toString().split('\n').slice(0, -1))
    .toSorted();
}

interface Manifest {
  entries: {
    url: string;
    meta: { content_length: number; record_count: number; checksum_crc32: string };
    table: string;
  }[];
  tables: { name: string; record_count: number; files: number; columns: { name: string; type: string }[] }[];
}

async function manifest(): Promise<Manifest> {
  return JSON.parse((await testStack.object(`${prefix}manifest.json`)).toString()) as Manifest;
}

describe('sluice export of tables', () => {
  it('stores every row once, in pieces, with several sessions, and names all files in the manifest', async () => {
    const { status, stdout, stderr } = await exportTo('-t', 'public.large', '-j', '3', ...SMALL_FILES);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^exported 60,000 rows \(6\.2 MB\) in \d+ files to s3:.* in .*\/s\nmanifest: s3:.*manifest\.json\n$/,
    );
    const lines = await linesOf('public.large');
    const { rows } = await superuser.query<{ line: string }>(
      `SELECT id || E'\\t' || filler AS line FROM large`,
    );
    expect(lines).toEqual(rows.map(({ line }) => line).toSorted());
    const { entries, tables } = await manifest();
    const keys = await testStack.keys(`${prefix}public.large/`);
    expect(keys.length).toBeGreaterThan(3);
    expect(keys[0]).toBe(`${prefix}public.large/part-00000.txt`);
    expect(entries.map(({ url }) => url)).toEqual(keys.map((key) => `s3://${BUCKET}/${key}`));
    expect(entries.reduce((sum, { meta }) => sum + meta.record_count, 0)).toBe(ROWS);
    for (const { url, meta } of entries) {
      const { ContentLength, ChecksumCRC32 } = await testStack.s3.send(
        new HeadObjectCommand({
          Bucket: BUCKET,
          Key: url.slice(`s3://${BUCKET}/`.length),
          ChecksumMode: 'ENABLED',
        }),
      );
      expect({ ContentLength, ChecksumCRC32 }).toEqual({
        ContentLength: meta.content_length,
        ChecksumCRC32: meta.checksum_crc32,
      });
    }
    expect(tables).toMatchObject([
      {
        name: 'public.large',
        record_count: ROWS,
        files: keys.length,
        columns: [
          { name: 'id', type: 'integer' },
          { name: 'filler', type: 'text' },
        ],
      },
    ]);
  });

  it('takes patterns, partitioned tables, views by name, and names that need quotes', async () => {
    const { status, stderr } = await exportTo(
      '-t',
      'public.*',
      '-t',
      'recent',
      '-o',
      'format csv, header true',
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const { tables } = await manifest();
    expect(tables.map(({ name, record_count }) => [name, record_count])).toEqual([
      ['public.Mixed Case', 2],
      ['public.empty', 0],
      ['public.large', ROWS],
      ['public.parts', 1_000],
      ['public.recent', 10],
    ]);
    expect((await testStack.object(`${prefix}public.Mixed%20Case/part-00000.csv`)).toString()).toBe(
      `a,b\n1,"tab\t""quote"""\n2,\n`,
    );
    expect((await testStack.object(`${prefix}public.empty/part-00000.csv`)).toString()).toBe('a\n');
    expect(await linesOf('public.parts')).toHaveLength(1_000 + 2);
  });

  it('reads tables and a query on one snapshot while others write', async () => {
    const writer = await testStack.connect();
    await writer.query('CREATE TABLE moving AS SELECT id, 0 AS version FROM generate_series(1, 20000) AS id');
    const over = new AbortController();
    const writing = (async () => {
      while (!over.signal.aborted)
        await writer.query(
          'UPDATE moving SET version = version + 1; DELETE FROM moving WHERE id IN (SELECT id FROM moving ORDER BY random() LIMIT 5)',
        );
    })();
    const { status, stderr } = await exportTo(
      '-t',
      'moving',
      '-q',
      'SELECT count(*), max(version) FROM moving',
      '-j',
      '4',
      ...SMALL_FILES,
    );
    over.abort();
    await writing;
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = (await linesOf('public.moving')).map((line) => line.split('\t'));
    const [summary = ''] = await linesOf('query');
    const [rows, version] = summary.split('\t');
    expect(lines).toHaveLength(Number(rows));
    expect(new Set(lines.map(([, of]) => of))).toEqual(new Set([version]));
    expect(new Set(lines.map(([id]) => id)).size).toBe(lines.length);
    await writer.query('DROP TABLE moving');
    await writer.end();
  });

  it('splits a query by a column', async () => {
    const { status, stderr } = await exportTo(
      '-q',
      'SELECT *, id % 7 AS k FROM large;',
      '--split-by',
      'id',
      '-j',
      '2',
      '--file-size',
      '1MiB',
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(await linesOf('query')).toHaveLength(ROWS);
    expect((await testStack.keys(`${prefix}query/`)).length).toBeGreaterThan(1);
  });

  it('compresses', async () => {
    const { status } = await exportTo('-t', 'large', '--compression', 'gzip', ...SMALL_FILES);
    expect(status).toBe(0);
    expect((await testStack.keys(`${prefix}public.large/`))[0]).toBe(
      `${prefix}public.large/part-00000.txt.gz`,
    );
    expect(await linesOf('public.large')).toHaveLength(ROWS);
  });
});

describe('sluice export of a query', () => {
  it("stores COPY's bytes at the path as it is", async () => {
    const query = "SELECT 1 AS a, 'x' AS b -- comment";
    const uri = `s3://${BUCKET}/${prefix}report.csv`;
    const { status, stdout } = await runExport(testStack, [
      uri,
      '-d',
      database,
      '-q',
      query,
      '-o',
      'format csv, header',
    ]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^exported 1 rows \(8 B\) in 1 file to s3:/);
    expect(await testStack.keys(prefix)).toEqual([`${prefix}report.csv`]);
    expect((await testStack.object(`${prefix}report.csv`)).toString()).toBe('a,b\n1,x\n');
    const again = await runExport(testStack, [uri, '-d', database, '-q', query]);
    expect(again).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/the destination is not empty/) as unknown,
    });
  });

  it('goes to a file of a folder where the path ends with a slash', async () => {
    expect((await exportTo('-q', 'SELECT 1')).status).toBe(0);
    expect(await testStack.keys(prefix)).toEqual([`${prefix}manifest.json`, `${prefix}query/part-00000.txt`]);
  });

  it('reads it from standard input', async () => {
    const { status } = await runExport(
      testStack,
      [`s3://${BUCKET}/${prefix}q.txt`, '-d', database, '-q', '-'],
      {
        input: 'SELECT 42;\n',
      },
    );
    expect(status).toBe(0);
    expect((await testStack.object(`${prefix}q.txt`)).toString()).toBe('42\n');
  });
});

describe('sluice export fails, and leaves nothing,', () => {
  it.each([
    ['of a table that is not there', ['-t', 'nope'], /no table matches "nope"/],
    [
      'of two queries',
      ['-q', 'SELECT 1; SELECT 2'],
      /several statements at once\nHINT: {2}Export one query at a time\.\n$/,
    ],
    ['of a query that is wrong', ['-q', 'SELEC 1'], /syntax error/],
    ['of a query that fails in the middle', ['-q', 'SELECT 1/(5000 - id) FROM large'], /division by zero/],
    ['with wrong options', ['-t', 'large', '-o', 'format jpeg'], /COPY format "jpeg" not recognized/],
    ['without a table or a query', [], /give --table or --query/],
    ['with a wrong number of jobs', ['-t', 'large', '-j', '0'], /whole number from 1/],
  ])('%s', async (_, args, message) => {
    const { status, stderr, stdout } = await exportTo(...args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(/--table|whole/.test(stderr) ? 2 : 1);
    expect(await testStack.keys(prefix)).toEqual([]);
  });

  it('when one table of several fails', async () => {
    await superuser.query(`CREATE VIEW broken AS SELECT 1/(50 - id) AS x FROM large`);
    const { status, stderr } = await exportTo('-t', 'large', '-t', 'broken', '-j', '2', ...SMALL_FILES);
    expect(stderr).toMatch(/division by zero/);
    expect(status).toBe(1);
    expect(await testStack.keys(prefix)).toEqual([]);
    await superuser.query('DROP VIEW broken');
  });

  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('on %s', async (signal, expected) => {
    const query = 'SELECT id, pg_sleep(0.001) FROM large';
    const { child, finished } = startExport(testStack, [
      `s3://${BUCKET}/${prefix}`,
      '-d',
      database,
      '-t',
      'large',
      '-q',
      query,
      ...SMALL_FILES,
    ]);
    await expect
      .poll(
        async () => {
          const { rows } = await superuser.query(
            `SELECT FROM pg_stat_activity WHERE query LIKE 'COPY%pg_sleep%'`,
          );
          return rows.length;
        },
        { timeout: 10_000 },
      )
      .toBe(1);
    child.kill(signal);
    const { status, stderr } = await finished;
    expect(stderr).toContain('the export was interrupted');
    expect(status).toBe(expected);
    expect(await testStack.keys(prefix)).toEqual([]);
  });
});

describe('a session that is terminated', () => {
  async function terminate(pattern: string): Promise<void> {
    await expect
      .poll(
        async () => {
          const { rows } = await superuser.query<{ done: boolean }>(
            `SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity WHERE application_name = 'sluice' AND query LIKE $1 LIMIT 1`,
            [pattern],
          );
          return rows.length;
        },
        { timeout: 10_000, interval: 5 },
      )
      .toBe(1);
  }

  it('while it reads a piece: the piece is read again', async () => {
    const running = startExport(testStack, [
      `s3://${BUCKET}/${prefix}`,
      '-d',
      database,
      '-q',
      'SELECT id, pg_sleep(0.001) FROM large WHERE id <= 1500',
      '-t',
      'empty',
    ]);
    await terminate('COPY%pg_sleep%');
    const { status, stderr } = await running.finished;
    expect(stderr).toMatch(/part-00000.txt is read again/);
    expect(status).toBe(0);
    expect(await linesOf('query')).toHaveLength(1_500);
  });

  it('while it keeps the snapshot: the export fails and leaves nothing', async () => {
    const running = startExport(testStack, [
      `s3://${BUCKET}/${prefix}`,
      '-d',
      database,
      '-q',
      'SELECT id, pg_sleep(0.001) FROM large',
      '-t',
      'empty',
    ]);
    await expect
      .poll(
        async () => {
          const { rows } = await superuser.query<{ done: boolean }>(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'sluice' AND state = 'idle in transaction'
           AND EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'COPY%pg_sleep%') ORDER BY backend_start LIMIT 1`,
          );
          return rows.length;
        },
        { timeout: 10_000, interval: 5 },
      )
      .toBe(1);
    const { status, stderr } = await running.finished;
    expect(stderr).toMatch(/snapshot/);
    expect(status).toBe(1);
    expect(await testStack.keys(prefix)).toEqual([]);
  });
});

describe('--if-exists', () => {
  beforeEach(async () => {
    for (const key of ['public.empty/old.txt', 'public.empty/part-00000.txt', 'other/kept.txt']) {
      await testStack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${prefix}${key}`, Body: 'old' }));
    }
  });

  it('fail: says what is there, and changes nothing', async () => {
    const { status, stderr } = await exportTo('-t', 'empty');
    expect(stderr).toMatch(
      /the destination is not empty\nDETAIL: {2}It holds s3:.*old\.txt, s3:.*part-00000.txt\.\nHINT/,
    );
    expect(status).toBe(1);
    expect((await testStack.object(`${prefix}public.empty/part-00000.txt`)).toString()).toBe('old');
  });

  it('clean: says that the export is published when it may not delete', async () => {
    const account = new AwsAccount(testStack.stack);
    const keys = await account.userWith(
      allow(['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListBucket'], ['*']),
    );
    const { status, stderr } = await runExport(
      testStack,
      [`s3://${BUCKET}/${prefix.slice(0, -1)}`, '-d', database, '-t', 'empty', '--if-exists', 'clean'],
      { env: keys },
    );
    account.close();
    expect(stderr).toMatch(
      /^sluice: the export is published, but older objects could not be deleted\nDETAIL: /,
    );
    expect(stderr).toContain('s3:DeleteObject');
    expect(status).toBe(1);
    expect((await testStack.object(`${prefix}public.empty/part-00000.txt`)).toString()).toBe('');
    expect((await testStack.object(`${prefix}public.empty/old.txt`)).toString()).toBe('old');
  });

  it('overwrite: replaces what has the same key', async () => {
    expect((await exportTo('-t', 'empty', '--if-exists', 'overwrite')).status).toBe(0);
    expect(await testStack.keys(prefix)).toEqual(
      ['manifest.json', 'other/kept.txt', 'public.empty/old.txt', 'public.empty/part-00000.txt'].map(
        (key) => `${prefix}${key}`,
      ),
    );
    expect((await testStack.object(`${prefix}public.empty/part-00000.txt`)).toString()).toBe('');
  });

  it("clean: deletes what else is in the tables' folders, and nothing elsewhere", async () => {
    expect((await exportTo('-t', 'empty', '--if-exists', 'clean')).status).toBe(0);
    expect(await testStack.keys(prefix)).toEqual(
      ['manifest.json', 'other/kept.txt', 'public.empty/part-00000.txt'].map((key) => `${prefix}${key}`),
    );
  });
});

describe('--dry-run', () => {
  it('says what would be exported, and stores nothing', async () => {
    const { status, stdout } = await exportTo('-t', 'public.*', '--dry-run', ...SMALL_FILES);
    expect(stdout).toMatch(/public\.large +~60,000 +\d+\.\d MB +\d+\n/);
    expect(stdout).toMatch(/left out: the view public\.recent/);
    expect(status).toBe(0);
    expect(await testStack.keys(prefix)).toEqual([]);
  });
});

describe('what is told', () => {
  it('of a query alone, too, while it runs', async () => {
    const query = 'SELECT id, pg_sleep(0.002) FROM large WHERE id <= 1500';
    const args = [`s3://${BUCKET}/${prefix}q.txt`, '-d', database, '-q', query, '--json'];
    const { status, stdout } = await runExport(testStack, args);
    expect(status).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; rows: number; bytes: number });
    const progress = events.filter(({ event }) => event === 'progress');
    expect(progress.length).toBeGreaterThan(0);
    expect(progress.some(({ rows, bytes }) => rows > 0 && rows < 1_500 && bytes > 0)).toBe(true);
  });

  it.each([
    ['tables', '', ['-t', 'large', '-q', 'SELECT id, pg_sleep(0.001) FROM large WHERE id <= 1500']],
    ['a query', 'q.txt', ['-q', 'SELECT id, pg_sleep(0.001) FROM large WHERE id <= 1500']],
  ])('to nobody any more does not end the export of %s', async (_, path, args) => {
    const { child, finished } = startExport(testStack, [
      `s3://${BUCKET}/${prefix}${path}`,
      '-d',
      database,
      '--json',
      ...args,
    ]);
    // As `| head -n 0` does it.
    child.stdout?.destroy();
    child.stderr?.destroy();
    finished.catch(() => undefined);
    await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    expect((await testStack.keys(prefix)).length).toBe(path === '' ? 3 : 1);
  });
});

describe('--json', () => {
  it('prints events, one a line', async () => {
    const { status, stdout, stderr } = await exportTo('-t', 'large', '--json', ...SMALL_FILES);
    expect(stderr).toBe('');
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; rows?: number });
    expect(events[0]).toMatchObject({ event: 'planned', tables: [{ name: 'public.large' }] });
    expect(events.at(-1)).toMatchObject({ event: 'done', rows: ROWS });
    expect(status).toBe(0);
  });
});
