import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { DatabaseError, type Client } from 'pg';
import { toSqlError } from '../../packages/sluice/src/agent/sql-state.ts';
import { exportQuery, type SourceClient } from '../../packages/sluice/src/index.ts';
import { BUCKET, TestStack } from './test-stack.ts';

/** A query to export, and COPY's options. */
export interface OracleCase {
  query: string;
  options?: string | undefined;
}

/**
 * How the rows of an export travel: from COPY of the query to the agent, from a temporary table of an ordinary role to the
 * agent, or over a connection (exportQuery).
 */
export const SQL_WAYS = ['direct', 'staged'] as const;
export const WAYS = [...SQL_WAYS, 'outside'] as const;
export type Way = (typeof WAYS)[number];

/** The result of a case: what was stored or written, or the error. */
export type Outcome = { rows: number; bytes: Buffer } | { code: string; message: string };

export interface Comparison extends OracleCase {
  exported: Outcome;
  copied: Outcome;
}

/** The results of the SQL functions below. */
type Answer = { rows: number; files: number; bytes: number } | { code: string; message: string };

/**
 * All cases run on the server, one after another: one statement executes hundreds of them. client_encoding is changed
 * only while a case runs; after an error, the end of the subtransaction resets it.
 */
const FUNCTIONS = `
  CREATE SCHEMA oracle;
  GRANT USAGE ON SCHEMA oracle TO PUBLIC;

  CREATE FUNCTION oracle.export(query text, key text, options text, encoding text) RETURNS jsonb LANGUAGE plpgsql AS $$
  DECLARE
    uploaded record;
  BEGIN
    PERFORM pg_catalog.set_config('client_encoding', encoding, true);
    uploaded := aws_s3.query_export_to_s3(query, '${BUCKET}', key, options := options);
    PERFORM pg_catalog.set_config('client_encoding', 'UTF8', true);
    RETURN pg_catalog.jsonb_build_object(
      'rows', uploaded.rows_uploaded, 'files', uploaded.files_uploaded, 'bytes', uploaded.bytes_uploaded);
  EXCEPTION WHEN OTHERS THEN
    RETURN pg_catalog.jsonb_build_object('code', SQLSTATE, 'message', SQLERRM);
  END
  $$;

  CREATE FUNCTION oracle.copy(query text, path text, options text, encoding text) RETURNS jsonb LANGUAGE plpgsql AS $$
  DECLARE
    row_count bigint;
  BEGIN
    PERFORM pg_catalog.set_config('client_encoding', encoding, true);
    EXECUTE pg_catalog.format(E'COPY (%s\\n) TO %L WITH (%s)', query, path, options);
    GET DIAGNOSTICS row_count = ROW_COUNT;
    PERFORM pg_catalog.set_config('client_encoding', 'UTF8', true);
    RETURN pg_catalog.jsonb_build_object('rows', row_count);
  EXCEPTION WHEN OTHERS THEN
    RETURN pg_catalog.jsonb_build_object('code', SQLSTATE, 'message', SQLERRM);
  END
  $$;`;

/** Added to the options of every COPY, because the list must not be empty. */
const NO_OPTIONS = 'freeze false';

/**
 * Compares exports with what COPY (query) TO 'file' WITH (options) writes in the same session. The session is a
 * superuser's; for the staged way it takes an ordinary role.
 */
export class Oracle {
  readonly session: SourceClient;
  readonly testStack: TestStack;
  readonly #ordinaryRole: string;
  #count = 0;

  private constructor(testStack: TestStack, session: SourceClient, ordinaryRole: string) {
    this.session = session;
    this.testStack = testStack;
    this.#ordinaryRole = ordinaryRole;
  }

  /** Starts a stack of its own, which is stopped together with the oracle. */
  static async start(): Promise<Oracle> {
    const testStack = await TestStack.start();
    return Oracle.create(testStack, await testStack.connect());
  }

  /** @param session a superuser's session, in any database with the extension */
  static async create(testStack: TestStack, session: SourceClient): Promise<Oracle> {
    await session.query(FUNCTIONS);
    const role = await testStack.createRole(session, { mayExport: true });
    return new Oracle(testStack, session, role.name);
  }

  /**
   * Runs every case both as an export and as COPY, in one transaction that is rolled back.
   *
   * @param options.settings set for this transaction only; client_encoding only for the exports and copies
   * @param options.before SQL that the superuser executes first
   */
  async compare(
    way: Way,
    cases: readonly OracleCase[],
    { settings = {}, before = '' }: { settings?: Readonly<Record<string, string>>; before?: string } = {},
  ): Promise<Comparison[]> {
    const keys = cases.map(() => `oracle-${this.#count++}-${randomBytes(4).toString('hex')}`);
    const paths = keys.map((key) => join(this.testStack.directory, key));
    try {
      await this.session.query(`BEGIN; ${before}`);
      const { client_encoding: encoding = 'UTF8', ...others } = settings;
      for (const [name, value] of Object.entries(others)) {
        await this.session.query('SELECT set_config($1, $2, true)', [name, value]);
      }
      await this.session.query('SAVEPOINT before');
      if (way === 'staged') await this.session.query(`SET LOCAL ROLE ${this.#ordinaryRole}`);
      const exported =
        way === 'outside'
          ? await this.#exportFromOutside(cases, keys, encoding)
          : await this.#run('export', cases, keys, encoding);
      await this.session.query('ROLLBACK TO SAVEPOINT before');
      // COPY to a file needs this role; the other privileges are the same as for the export.
      if (way === 'staged')
        await this.session.query(
          `GRANT pg_write_server_files TO ${this.#ordinaryRole}; SET LOCAL ROLE ${this.#ordinaryRole}`,
        );
      const copied = await this.#run('copy', cases, paths, encoding);
      const comparisons: Comparison[] = [];
      for (const [index, { query, options }] of cases.entries()) {
        comparisons.push({
          query,
          options,
          exported: await outcome(exported[index], () => this.testStack.object(keys[index] ?? '')),
          copied: await outcome(copied[index], () => readFile(paths[index] ?? '')),
        });
      }
      return comparisons;
    } finally {
      await this.session.query('ROLLBACK');
      await Promise.all(paths.map((path) => rm(path, { force: true })));
    }
  }

  /** Runs every case both as an export and as COPY, and throws at the first difference. */
  async expectSame(way: Way, cases: readonly OracleCase[], options: Parameters<Oracle['compare']>[2] = {}) {
    const comparisons = await this.compare(way, cases, options);
    for (const comparison of comparisons) expectEqual(way, comparison);
    return comparisons;
  }

  /** Like TestStack.expectNothingLeft, for the oracle's own session as well. */
  expectNothingLeft(...sessions: readonly Client[]): Promise<void> {
    return this.testStack.expectNothingLeft(this.session, ...sessions);
  }

  /** Stops the stack. */
  stop(): Promise<void> {
    return this.testStack.stop();
  }

  async #exportFromOutside(
    cases: readonly OracleCase[],
    keys: readonly string[],
    encoding: string,
  ): Promise<Answer[]> {
    const answers: Answer[] = [];
    this.session.copyEncoding = encoding;
    for (const [index, { query, options = '' }] of cases.entries()) {
      await this.session.query('SAVEPOINT export');
      try {
        const { rows, files, bytes } = await exportQuery({
          database: this.session,
          query,
          copyOptions: options,
          connection: this.testStack.s3Connection,
          bucket: BUCKET,
          key: keys[index] ?? '',
        });
        answers.push({ rows: Number(rows), files: files.length, bytes });
        await this.session.query('RELEASE SAVEPOINT export');
      } catch (error) {
        answers.push(answerOf(error));
        await this.session.query('ROLLBACK TO SAVEPOINT export');
      }
    }
    return answers;
  }

  async #run(
    name: 'export' | 'copy',
    cases: readonly OracleCase[],
    targets: string[],
    encoding: string,
  ): Promise<Answer[]> {
    const { rows } = await this.session.query<{ answer: Answer }>(
      `SELECT oracle.${name}(c.query, c.target, c.options, $4) AS answer
       FROM unnest($1::text[], $2::text[], $3::text[]) AS c(query, target, options)`,
      [cases.map(({ query }) => query), targets, cases.map(({ options }) => options || NO_OPTIONS), encoding],
    );
    return rows.map(({ answer }) => answer);
  }
}

function answerOf(error: unknown): Answer {
  if (error instanceof DatabaseError) return { code: error.code ?? '', message: error.message };
  const { sqlstate, message } = toSqlError(error);
  return { code: sqlstate, message };
}

async function outcome(answer: Answer | undefined, read: () => Promise<Buffer>): Promise<Outcome> {
  if (answer === undefined) throw new Error('a case was left out');
  if ('code' in answer) return answer;
  const bytes = await read();
  const stored = answer.bytes ?? bytes.length;
  if (stored !== bytes.length) throw new Error(`the answer says ${stored} bytes, of ${bytes.length}`);
  return { rows: answer.rows, bytes };
}

export function expectEqual(way: Way, { query, options, exported, copied }: Comparison): void {
  const isSame =
    'bytes' in exported && 'bytes' in copied
      ? exported.rows === copied.rows && exported.bytes.equals(copied.bytes)
      : 'code' in exported &&
        'code' in copied &&
        exported.code === copied.code &&
        // The message of a syntax error quotes the statement around the query, which differs.
        (exported.code === '42601' || exported.message === copied.message);
  if (isSame) return;
  throw new Error(
    [
      `the ${way} export differs from COPY`,
      `query:   ${abridged(query)}`,
      `options: ${options ?? ''}`,
      `export:  ${inWords(exported)}`,
      `COPY:    ${inWords(copied)}`,
    ].join('\n'),
  );
}

function inWords(result: Outcome): string {
  return 'code' in result
    ? `error ${result.code}: ${result.message}`
    : `${result.rows} rows: ${abridged(JSON.stringify(result.bytes.toString('latin1')))}`;
}

function abridged(text: string): string {
  return text.length <= 2000 ? text : `${text.slice(0, 2000)} ... (${text.length} characters)`;
}
