import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { StallingS3 } from './stalling-s3.ts';
import { exportQuery, TestStack } from './test-stack.ts';

type Who = 'superuser' | 'ordinary role';

/** A moment of an export at which it is cancelled. */
export interface CancelPlace {
  name: string;
  who: Who;
  query: string;
  /** The requests to S3 that are not answered meanwhile. */
  stall?: { matches: RegExp; reads?: boolean };
  stopsAgent?: 'before' | 'during';
  /** The commit is in progress, so S3 may still store the object. */
  mayBeStored?: boolean;
  /** The moment has come when so many requests are waiting. @default when the export has run for a second */
  whenStalled?: number;
}

/**
 * Rows that are sent as they are computed: PostgreSQL does not materialise a set-returning function in the select list.
 */
const endless = (width: number) => `SELECT repeat('x', ${width}), generate_series(1, 1000000000)`;
const rowsOf = (mib: number) => `SELECT repeat('x', 1023) FROM generate_series(1, ${mib * 1024})`;
const EVERYTHING = /./;
const UPLOAD_PART = /^PUT .*partNumber=/;
const COMPLETE = /^POST .*uploadId=/;
const CREATE = /^POST .*uploads/;
const ABORT = /^DELETE /;

const inBothWays = (place: Omit<CancelPlace, 'who'>): CancelPlace[] => [
  { ...place, who: 'superuser' },
  { ...place, who: 'ordinary role' },
];

export const CANCEL_PLACES: readonly CancelPlace[] = [
  ...inBothWays({ name: 'the query, before its first row', query: 'SELECT pg_sleep(60)::text' }),
  ...inBothWays({
    name: 'the query, between rows',
    query: 'SELECT g, pg_sleep(g)::text FROM generate_series(0, 60) AS g',
  }),
  ...inBothWays({
    name: 'a sort before the first row',
    query: 'SELECT g FROM generate_series(1, 100000000) AS g ORDER BY random()',
  }),
  { name: 'rows that stream', who: 'superuser', query: endless(100) },
  { name: 'wide rows that stream', who: 'superuser', query: endless(1_000_000) },
  { name: 'the filling of the table of an ordinary role', who: 'ordinary role', query: endless(100) },
  ...inBothWays({
    name: 'the opening of an upload',
    query: rowsOf(100),
    stall: { matches: CREATE },
    whenStalled: 1,
  }),
  ...inBothWays({
    name: 'a full pipe, as S3 takes no part',
    query: rowsOf(200),
    stall: { matches: UPLOAD_PART },
    whenStalled: 1,
  }),
  ...inBothWays({
    name: 'a full pipe, as S3 reads nothing',
    query: rowsOf(200),
    stall: { matches: UPLOAD_PART, reads: false },
    whenStalled: 1,
  }),
  ...inBothWays({
    mayBeStored: true,
    name: 'the storing of a small object',
    query: 'SELECT 1',
    stall: { matches: EVERYTHING },
    whenStalled: 1,
  }),
  ...inBothWays({
    mayBeStored: true,
    name: 'the last part',
    query: rowsOf(9),
    stall: { matches: UPLOAD_PART },
    whenStalled: 1,
  }),
  ...inBothWays({
    mayBeStored: true,
    name: 'the completing of an upload',
    query: rowsOf(20),
    stall: { matches: COMPLETE },
    whenStalled: 1,
  }),
  {
    name: 'rows of an export whose upload cannot be aborted',
    who: 'superuser',
    query: endless(100),
    stall: { matches: ABORT },
  },
  ...inBothWays({
    name: 'the beginning, as the agent stands still',
    query: 'SELECT 1',
    stopsAgent: 'before',
  }),
  ...inBothWays({
    name: 'the reading of a query with a semicolon, as the agent stands still',
    query: `SELECT ';'`,
    stopsAgent: 'before',
  }),
  ...inBothWays({
    mayBeStored: true,
    name: 'the commit, as the agent stands still',
    query: 'SELECT 1',
    stall: { matches: EVERYTHING },
    whenStalled: 1,
    stopsAgent: 'during',
  }),
  {
    name: 'a query that writes nothing, as the agent stands still',
    who: 'superuser',
    query: 'SELECT pg_sleep(60)::text',
    stopsAgent: 'during',
  },
];

/** A stack whose S3 can be stalled, and one session for each way of exporting. */
export class CancelBench implements AsyncDisposable {
  readonly testStack: TestStack;
  readonly sessions: Record<Who, pg.Client>;
  readonly #s3: StallingS3;
  readonly #canceller: pg.Client;

  private constructor(
    testStack: TestStack,
    s3: StallingS3,
    sessions: Record<Who, pg.Client>,
    canceller: pg.Client,
  ) {
    this.testStack = testStack;
    this.sessions = sessions;
    this.#s3 = s3;
    this.#canceller = canceller;
  }

  static async start(): Promise<CancelBench> {
    const s3 = await StallingS3.start();
    const testStack = await TestStack.start({
      agentConfig: { s3: { endpoint: s3.endpoint, request_timeout: '60s' }, export: { memory: '64MiB' } },
    });
    s3.target = testStack.stack.aws.endpoint;
    const canceller = await testStack.connect();
    const role = await testStack.createRole(canceller, { mayExport: true });
    const sessions = { superuser: await testStack.connect(), 'ordinary role': await testStack.connect(role) };
    return new CancelBench(testStack, s3, sessions, canceller);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.testStack.stop();
    await this.#s3[Symbol.asyncDispose]();
  }

  /** Cancels an export at the given moment. Gives its error, and the time from the cancel to the error. */
  async cancelIn(place: CancelPlace, key: string): Promise<{ error: unknown; latencyMs: number }> {
    const session = this.sessions[place.who];
    const { pid: agentPid } = this.testStack.stack.agent;
    const { processID } = session as unknown as { processID: number };
    if (place.stall !== undefined) this.#s3.stall(place.stall.matches, place.stall);
    if (place.stopsAgent === 'before') process.kill(agentPid, 'SIGSTOP');
    try {
      const ended = exportQuery(session, place.query, key).then(
        () => undefined,
        (error: unknown) => error,
      );
      const progress = { isOver: false };
      void ended.then(() => (progress.isOver = true));
      const began = performance.now();
      while (!progress.isOver && this.#s3.stalled < (place.whenStalled ?? 0)) await delay(20);
      await delay(Math.max(0, began + 1_000 - performance.now()));
      if (place.stopsAgent === 'during') {
        process.kill(agentPid, 'SIGSTOP');
        await delay(200);
      }
      // A random time, because the result depends on the position within a polling interval.
      await delay(Math.random() * 500);
      const cancelledAt = performance.now();
      await this.#canceller.query('SELECT pg_cancel_backend($1)', [processID]);
      const error = await ended;
      return { error, latencyMs: performance.now() - cancelledAt };
    } finally {
      if (place.stopsAgent !== undefined) process.kill(agentPid, 'SIGCONT');
      this.#s3.flow();
    }
  }
}
