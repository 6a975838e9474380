import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runExport } from '../support/export-command.ts';
import { BUCKET, POSTGRES_MAJOR, TestStack } from '../support/test-stack.ts';

const ROWS = 60_000;

let testStack: TestStack;
let count = 0;

beforeAll(async () => {
  testStack = await TestStack.start();
  const client = await testStack.connect();
  await client.query(`
    CREATE TABLE large AS SELECT id, repeat(md5(id::text), 3) AS filler FROM generate_series(1, ${ROWS}) AS id;
    CREATE TABLE empty (id int, filler text);
    ANALYZE`);
});
afterEach(async () => testStack.expectNothingLeft());
afterAll(async () => testStack?.stop());

async function exportTables(...args: string[]) {
  const prefix = `header-${++count}/`;
  const database = ['-d', testStack.stack.postgres.url, '-t', 'public.*', '--file-size', '1MiB'];
  const finished = await runExport(testStack, [`s3://${BUCKET}/${prefix}`, ...database, ...args]);
  return { ...finished, prefix };
}

/** Of a table, in the order of their names. */
async function filesOf(folder: string): Promise<string[][]> {
  const keys = await testStack.keys(folder);
  const objects = await Promise.all(keys.map((key) => testStack.object(key)));
  return objects.map((object, index) =>
    ((keys[index] ?? '').endsWith('.gz') ? gunzipSync(object) : object).toString().split('\n').slice(0, -1),
  );
}

const CSV_HEADER = ['-o', 'format csv, header true'];
const isHeader = (line: string | undefined) => line === 'id,filler';

describe('the header of an export of tables', () => {
  it.each([
    ['each', []],
    ['each', ['--header-in', 'each']],
    ['first', ['--header-in', 'first']],
    ['first', ['--header-in', 'first', '--compression', 'gzip']],
  ])('is in %s file: %j', async (where, args) => {
    const { status, prefix } = await exportTables(...CSV_HEADER, ...args);
    expect(status).toBe(0);
    const files = await filesOf(`${prefix}public.large/`);
    expect(files.length).toBeGreaterThan(3);
    expect(files.map(([line]) => isHeader(line))).toEqual(
      files.map((_, index) => where === 'each' || index === 0),
    );
    expect(await filesOf(`${prefix}public.empty/`)).toEqual([['id,filler']]);
    const rows = files.flat().filter((line) => !isHeader(line));
    expect(new Set(rows.map((line) => line.split(',')[0])).size).toBe(ROWS);
    expect(rows).toHaveLength(ROWS);
    const manifest = JSON.parse((await testStack.object(`${prefix}manifest.json`)).toString()) as {
      header_in: string;
      entries: { meta: { record_count: number } }[];
    };
    expect(manifest.header_in).toBe(where);
    expect(manifest.entries.reduce((sum, { meta }) => sum + meta.record_count, 0)).toBe(ROWS);
  });

  it('in the first file only: all files, one after another, are what COPY writes', async () => {
    const { prefix } = await exportTables(...CSV_HEADER, '--header-in', 'first');
    const client = await testStack.connect();
    const copied = await testStack.copy(client, 'TABLE large', 'format csv, header true');
    await client.end();
    const keys = await testStack.keys(`${prefix}public.large/`);
    const objects = await Promise.all(keys.map((key) => testStack.object(key)));
    expect(Buffer.concat(objects).equals(copied)).toBe(true);
  });

  it.each([[[]], [['-o', 'format csv']], [['-o', 'format csv, header off']], [['-o', 'format binary']]])(
    'cannot be chosen when there is none: %j',
    async (args) => {
      const { status, stderr } = await exportTables('--header-in', 'first', ...args);
      expect(stderr).toMatch(/^sluice: there is no header line .*\nDETAIL: .*\nHINT: .*header true/);
      expect(status).toBe(1);
    },
  );

  it('cannot be chosen for a query that goes to one path', async () => {
    const { status, stderr } = await runExport(testStack, [
      `s3://${BUCKET}/report.csv`,
      '-d',
      testStack.stack.postgres.url,
      '-q',
      'SELECT 1',
      ...CSV_HEADER,
      '--header-in',
      'each',
    ]);
    expect(stderr).toContain('--header-in is for folders');
    expect(status).toBe(2);
  });

  it('is none to be matched', async () => {
    const { status, stderr } = await exportTables('-o', 'format csv, header match');
    expect(stderr).toMatch(
      POSTGRES_MAJOR < 15 ? /header requires a Boolean value/ : /cannot use "match" with HEADER in COPY TO/,
    );
    expect(status).toBe(1);
  });
});
