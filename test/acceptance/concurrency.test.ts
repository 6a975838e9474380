import type pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { exportQuery, TestStack } from '../support/test-stack.ts';

let testStack: TestStack;
let superuser: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
});
afterEach(async () => testStack.expectNothingLeft(superuser));
afterAll(async () => testStack?.stop());

it('200 exports in one statement', async () => {
  const { rows } = await superuser.query<{ rows: string; files: string; bytes: string }>(`
    SELECT sum(rows_uploaded) AS rows, sum(files_uploaded) AS files, sum(bytes_uploaded) AS bytes
    FROM generate_series(1, 200) AS g,
      LATERAL aws_s3.query_export_to_s3('SELECT ' || g, 'sample-bucket', 'each/' || g)`);
  expect(rows).toEqual([{ rows: '200', files: '200', bytes: String(9 * 2 + 90 * 3 + 101 * 4) }]);
  for (const n of Array.from({ length: 200 }, (_, i) => i + 1)) {
    expect((await testStack.object(`each/${n}`)).toString()).toBe(`${n}\n`);
  }
});

it('20 sessions at once with 20 exports each, privileged and ordinary', async () => {
  const role = await testStack.createRole(superuser, { mayExport: true });
  const sessions = await Promise.all(
    Array.from({ length: 20 }, (_, i) => testStack.connect(i % 2 === 0 ? undefined : role)),
  );
  await Promise.all(
    sessions.map(async (session, s) => {
      for (let n = 0; n < 20; n += 1) {
        const query = `SELECT ${s}, ${n}, g FROM generate_series(1, 1000) AS g`;
        expect(await exportQuery(session, query, `at-once/${s}/${n}`)).toMatchObject({
          rows: 1000,
          files: 1,
        });
      }
    }),
  );
  for (let s = 0; s < 20; s += 1) {
    for (let n = 0; n < 20; n += 1) {
      const expected = Array.from({ length: 1000 }, (_, g) => `${s}\t${n}\t${g + 1}\n`).join('');
      expect((await testStack.object(`at-once/${s}/${n}`)).toString()).toBe(expected);
    }
  }
  await testStack.expectNothingLeft(...sessions);
});

it('an export whose query exports', async () => {
  const { rows } = await superuser.query<{ rows_uploaded: string }>(`
    SELECT rows_uploaded FROM aws_s3.query_export_to_s3(
      $$SELECT * FROM aws_s3.query_export_to_s3('SELECT 1', 'sample-bucket', 'inner')$$, 'sample-bucket', 'outer')`);
  expect(rows).toEqual([{ rows_uploaded: '1' }]);
  expect((await testStack.object('inner')).toString()).toBe('1\n');
  expect((await testStack.object('outer')).toString()).toBe('1\t1\t2\n');
});
