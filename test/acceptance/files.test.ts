import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exportQuery, TestStack } from '../support/test-stack.ts';

const FILE_LIMIT = 200_000;

/** A megabyte of rows with all characters that may be near a cut. */
const QUERY = String.raw`
  SELECT
    g AS id,
    CASE g % 11 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'two\nlines' WHEN 3 THEN 'say "hi", "hi"'
      WHEN 4 THEN E'\\' WHEN 5 THEN E'"\n"' WHEN 6 THEN E',\r\n' WHEN 7 THEN '表示ソ能十' WHEN 8 THEN '\.'
      WHEN 9 THEN '"' ELSE 'plain' END AS a,
    repeat('表ソ"' || E'\n', g % 7) AS b,
    repeat('x', g % 40) AS c
  FROM generate_series(1, 20000) AS g`;

const OPTIONS: readonly string[] = [
  'format text',
  'format text, header',
  'format csv',
  'format csv, header',
  "format csv, escape '\\'",
  "format csv, quote '''', escape '\"', force_quote *",
  "format csv, encoding 'SJIS'",
  "format csv, encoding 'SJIS', quote '|', escape '\\'",
  "format csv, encoding 'GB18030'",
  "format text, encoding 'SJIS', delimiter '|'",
  'format binary',
];

let testStack: TestStack;
let superuser: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start({ agentConfig: { export: { file_limit: FILE_LIMIT } } });
  superuser = await testStack.connect();
});
afterEach(async () => testStack.expectNothingLeft(superuser));
afterAll(async () => testStack?.stop());

describe('a result of several files', () => {
  it.each(OPTIONS)(
    'with %s: its files are, one after another, what COPY writes, cut between rows',
    async (options) => {
      const expected = await testStack.copy(superuser, QUERY, options);
      const answer = await exportQuery(superuser, QUERY, `cut/${options}`, options);
      expect(answer).toMatchObject({ rows: 20_000, bytes: expected.length });
      expect(answer.files).toBeGreaterThanOrEqual(5);

      const suffixes = Array.from({ length: answer.files }, (_, i) => (i === 0 ? '' : `_part${i + 1}`));
      const keys = suffixes.map((suffix) => `cut/${options}${suffix}`);
      expect((await testStack.keys(`cut/${options}`)).toSorted()).toEqual(keys.toSorted());
      const files = await Promise.all(keys.map((key) => testStack.object(key)));
      expect(Buffer.concat(files).equals(expected)).toBe(true);
      for (const file of files) expect(file.length).toBeLessThanOrEqual(FILE_LIMIT + 2);
      expect(await rowsOfEachFile(files, options)).toBe(20_000);
    },
  );

  /** Reads each file with PostgreSQL's COPY FROM, which refuses a file that begins or ends inside a row. */
  async function rowsOfEachFile(files: readonly Buffer[], options: string): Promise<number> {
    const { writeFile, rm } = await import('node:fs/promises');
    await superuser.query('CREATE TEMP TABLE read_back (id int, a text, b text, c text)');
    try {
      for (const [i, file] of files.entries()) {
        const path = `${testStack.directory}/file-${i}`;
        await writeFile(path, whole(file, i, files.length, options), { mode: 0o644 });
        // Only the first file has a header.
        const copyOptions = i === 0 ? options : options.replace(', header', '');
        const force = copyOptions.replace(', force_quote *', '');
        await superuser.query(`COPY read_back FROM '${path}' WITH (${force})`);
        await rm(path);
      }
      const { rows } = await superuser.query<{ ids: number; count: number }>(
        'SELECT count(DISTINCT id)::int AS ids, count(*)::int AS count FROM read_back',
      );
      expect(rows[0]?.count).toBe(rows[0]?.ids);
      return rows[0]?.count ?? 0;
    } finally {
      await superuser.query('DROP TABLE read_back');
    }
  }
});

/**
 * Completes a binary file: only the first has the signature and only the last the trailer, and PostgreSQL needs both.
 */
function whole(file: Buffer, index: number, count: number, options: string): Buffer {
  if (options !== 'format binary') return file;
  const signature = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
  const trailer = Buffer.from([0xff, 0xff]);
  return Buffer.concat([
    ...(index === 0 ? [] : [signature]),
    file,
    ...(index === count - 1 ? [] : [trailer]),
  ]);
}
