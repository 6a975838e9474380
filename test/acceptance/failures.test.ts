import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exportQuery, TestStack } from '../support/test-stack.ts';

/** More than one part, so that a multipart upload is open when it fails. */
const ROWS_BEFORE_FAILURE = 1_000_000;
const FAILS_LATE = `
  SELECT g, repeat('x', 30), 1 / (${ROWS_BEFORE_FAILURE} - g) FROM generate_series(1, 2000000) AS g`;
/**
 * Rows that are sent as they are computed: PostgreSQL does not materialise a set-returning function in the select list.
 */
const rowsUpTo = (count: number) => `SELECT generate_series(1, ${count}) AS g, repeat('x', 100) AS x`;
const ENDLESS = rowsUpTo(1_000_000_000);

let testStack: TestStack;
let superuser: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
});
afterAll(async () => testStack?.stop());

describe.each(['superuser', 'ordinary role'])('exports of a %s', (who) => {
  /**
   * Enough rows for the test. For an ordinary role all rows are staged before the first is sent, so there must be an
   * end.
   */
  const manyRows = who === 'superuser' ? ENDLESS : rowsUpTo(8_000_000);
  let session: pg.Client;
  let expectSessionLives: boolean;

  beforeEach(async () => {
    expectSessionLives = true;
    const role = await testStack.createRole(superuser, { mayExport: true });
    session = who === 'superuser' ? await testStack.connect() : await testStack.connect(role);
  });

  afterEach(async () => {
    expect(await testStack.keys('failed')).toEqual([]);
    if (expectSessionLives) {
      expect(await exportQuery(session, 'SELECT 1', 'again')).toEqual({ rows: 1, files: 1, bytes: 2 });
      await testStack.expectNothingLeft(session);
      await session.end();
    } else {
      await testStack.expectNothingLeft();
    }
  });

  it("a query that fails at row 1,000,000 gives the query's own error, unchanged", async () => {
    const ownError = await superuser
      .query(`COPY (${FAILS_LATE}) TO '/dev/null'`)
      .catch((error: unknown) => error);
    await expect(exportQuery(session, FAILS_LATE, 'failed')).rejects.toMatchObject({
      code: (ownError as pg.DatabaseError).code,
      message: (ownError as pg.DatabaseError).message,
      detail: undefined,
      hint: undefined,
    });
  });

  it.each([
    [
      'a message of its own',
      `RAISE EXCEPTION 'mine: 100%%' USING ERRCODE = 'AB123', DETAIL = 'd', HINT = 'h'`,
    ],
    [
      'an internal_error, as a failed write to the pipe has',
      `RAISE EXCEPTION 'mine: 100%%' USING ERRCODE = 'XX000', DETAIL = 'd', HINT = 'h'`,
    ],
  ])('a function in the query that raises %s', async (_, raise) => {
    await superuser.query(`
      CREATE OR REPLACE FUNCTION public.fail() RETURNS int LANGUAGE plpgsql AS
      $f$ BEGIN ${raise}; END $f$`);
    const expected = { message: 'mine: 100%', detail: 'd', hint: 'h' };
    await expect(exportQuery(session, 'SELECT public.fail()', 'failed')).rejects.toMatchObject(expected);
  });

  it('pg_cancel_backend', async () => {
    const ended = exportQuery(session, ENDLESS, 'failed').catch((error: unknown) => error);
    await duringExport(session);
    await superuser.query('SELECT pg_cancel_backend($1)', [await pidOf(session)]);
    expect(await ended).toMatchObject({ code: '57014', message: 'canceling statement due to user request' });
  });

  it('statement_timeout', async () => {
    await session.query('SET statement_timeout = 1500');
    await expect(exportQuery(session, ENDLESS, 'failed')).rejects.toMatchObject({
      code: '57014',
      message: 'canceling statement due to statement timeout',
    });
    await session.query('RESET statement_timeout');
  });

  it('pg_terminate_backend', async () => {
    expectSessionLives = false;
    const ended = exportQuery(session, ENDLESS, 'failed').catch((error: unknown) => error);
    await duringExport(session);
    await superuser.query('SELECT pg_terminate_backend($1)', [await pidOf(session)]);
    expect(await ended).toMatchObject({ code: '57P01' });
  });

  it('a savepoint that is rolled back leaves a session that can export again in the same transaction', async () => {
    await session.query('BEGIN; SAVEPOINT before');
    await expect(exportQuery(session, FAILS_LATE, 'failed')).rejects.toMatchObject({ code: '22012' });
    await session.query('ROLLBACK TO before');
    expect(await exportQuery(session, 'SELECT 1', 'again')).toMatchObject({ rows: 1 });
    await session.query('COMMIT');
  });

  it.each([
    ['a bucket that does not exist', 'no-such-bucket', 'SELECT 1', 'The specified bucket does not exist'],
    [
      'one that does not exist, found while COPY runs',
      'no-such-bucket',
      ENDLESS,
      'The specified bucket does not exist',
    ],
  ])('%s', async (_, bucket, query, message) => {
    // The rows of an ordinary role are all staged before the bucket is checked, so the query must end.
    const bounded = query === ENDLESS && who === 'ordinary role' ? rowsUpTo(1_000_000) : query;
    await expect(
      session.query('SELECT aws_s3.query_export_to_s3($1, $2, $3)', [bounded, bucket, 'failed']),
    ).rejects.toMatchObject({
      code: '58000',
      message: 'could not upload to Amazon S3',
      detail: `Amazon S3 client returned '${message}'.`,
      hint: expect.stringContaining('no-such-bucket') as unknown,
    });
  });

  it('an agent that is killed', async () => {
    const ended = exportQuery(session, manyRows, 'failed').catch((error: unknown) => error);
    await whileUploading();
    const { pid } = testStack.stack.agent;
    process.kill(pid, 'SIGKILL');
    expect(await ended).toMatchObject({ code: '08006', message: 'lost the connection to the Sluice agent' });
    await testStack.agentReplaced(pid);
  });

  it('an agent that is told to stop aborts what does not end in time, and says so', async () => {
    const ended = exportQuery(session, manyRows, 'failed').catch((error: unknown) => error);
    await whileUploading();
    const { pid } = testStack.stack.agent;
    process.kill(pid, 'SIGTERM');
    await delay(200);
    process.kill(pid, 'SIGTERM');
    expect((await ended) as Error).toMatchObject({
      message: expect.stringMatching(/agent|aborted/) as unknown,
    });
    await testStack.agentReplaced(pid);
  });
});

async function pidOf(client: pg.Client): Promise<number> {
  const { processID } = client as unknown as { processID: number };
  return Promise.resolve(processID);
}

/** Waits until the session has been busy with its export for a while. */
async function duringExport(session: pg.Client): Promise<void> {
  const pid = await pidOf(session);
  for (;;) {
    const { rows } = await superuser.query<{ busy: boolean }>(
      `SELECT clock_timestamp() - query_start > interval '1 s' AS busy FROM pg_stat_activity WHERE pid = $1 AND state = 'active'`,
      [pid],
    );
    if (rows[0]?.busy) return;
    await delay(50);
  }
}

/** Waits until a multipart upload is open. */
async function whileUploading(): Promise<void> {
  const { ListMultipartUploadsCommand } = await import('@aws-sdk/client-s3');
  for (;;) {
    const { Uploads = [] } = await testStack.s3.send(
      new ListMultipartUploadsCommand({ Bucket: 'sample-bucket' }),
    );
    if (Uploads.length > 0) return;
    await delay(20);
  }
}
