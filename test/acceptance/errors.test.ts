import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsAccount } from '../support/aws-account.ts';
import { FakeAgent } from '../support/fake-agent.ts';
import { StallingS3 } from '../support/stalling-s3.ts';
import { BUCKET, exportQuery, TestStack } from '../support/test-stack.ts';

/** The lines of CONTEXT that an error of ours may have. */
const MAX_CONTEXT_LINES = 6;

interface Row {
  when: string;
  code: string;
  message: string;
  detail: string;
  hint: string;
}

const documented = await readTable(new URL('../../docs/errors.md', import.meta.url));

let testStack: TestStack;
let s3: StallingS3;
let superuser: pg.Client;
let ordinary: pg.Client;

beforeAll(async () => {
  s3 = await StallingS3.start();
  testStack = await TestStack.start({
    agentConfig: {
      agent: { max_exports: 1 },
      s3: { endpoint: s3.endpoint, request_timeout: '500ms', max_attempts: 1 },
    },
  });
  s3.target = testStack.stack.aws.endpoint;
  superuser = await testStack.connect();
  await superuser.query('CREATE TABLE log (id int); GRANT ALL ON log TO PUBLIC');
  ordinary = await testStack.connect(await testStack.createRole(superuser, { mayExport: true }));
});
afterAll(async () => {
  await testStack?.stop();
  await s3?.[Symbol.asyncDispose]();
});

const call = (...args: readonly (string | null)[]) =>
  superuser.query('SELECT aws_s3.query_export_to_s3($1, $2, $3, $4, $5, $6)', [
    ...args,
    ...Array.from({ length: 6 - args.length }, () => null),
  ]);
const withOptions = (options: string) => call('SELECT 1', BUCKET, 'k', null, options);
const insideQuery = async (body: string, query = 'SELECT inside()') => {
  await superuser.query(`CREATE OR REPLACE FUNCTION public.inside() RETURNS text LANGUAGE plpgsql AS $f$
    DECLARE c text := (public.dblink_get_connections())[1]; BEGIN ${body} RETURN 'x'; END $f$`);
  return call(query, BUCKET, 'k');
};
const columns = (count: number, value: string) =>
  Array.from({ length: count }, (_, index) => `${value} AS c${index}`).join();
const BEGIN = JSON.stringify({
  op: 'begin',
  role: 'postgres',
  database: 'postgres',
  pid: 1,
  clientEncoding: 'UTF8',
  bucket: BUCKET,
  filePath: 'k',
  region: null,
  options: null,
  backslashEscapes: false,
  kmsKey: null,
});
const ABORT = Buffer.from('{"op":"abort"}').toString('hex');

/** Causes the error of each row, by the row's first column. */
const MEET: Readonly<Record<string, () => Promise<unknown>>> = {
  'query, bucket or file_path is NULL': () => call('SELECT 1', null, 'k'),
  'the query is empty': () => call(' ; ', BUCKET, 'k'),
  'the query is several statements': () => call('SELECT 1; SELECT 2', BUCKET, 'k'),
  'the query has semicolons and returns no rows': () => call(`DO ';'`, BUCKET, 'k'),
  'the options are no list of options': () => withOptions('format csv)'),
  "an option is none of COPY's": () => withOptions('no_such_option 1'),
  'the compression is none': () => withOptions('compression bzip2'),
  'the level is none that the compression has': () => withOptions('compression gzip, compression_level 10'),
  'a level is given without a compression': () => withOptions('format csv, compression_level 9'),
  'an option of the compression is given twice': () => withOptions('compression gzip, compression none'),
  'the compression has no value': () => withOptions('format csv, compression'),
  'the level is no whole number': () => withOptions("compression gzip, compression_level '9'"),
  "the bucket's name is none": () => call('SELECT 1', 'NO', 'k'),
  'the path is empty or too long': () => call('SELECT 1', BUCKET, ''),
  'the region is none': () => call('SELECT 1', BUCKET, 'k', 'a.b'),
  'the KMS key is not printable': () => call('SELECT 1', BUCKET, 'k', null, null, '\n'),
  'the role may not use the schema': async () => exportQuery(await newRole({}), 'SELECT 1', 'k'),
  'the role may not call the function': async () =>
    exportQuery(await newRole({ usage: true }), 'SELECT 1', 'k'),
  'the role may not call the function, but calls a helper': async () =>
    (await newRole({ usage: true })).query(
      `SELECT aws_s3._export('SELECT 1', '${BUCKET}', 'k', NULL, NULL, NULL)`,
    ),
  'a helper is called with another table': () =>
    ordinary.query(
      `SELECT aws_s3._export_staged('pg_class', NULL, '{}', '${BUCKET}', 'k', NULL, NULL, NULL)`,
    ),
  'an ordinary role is in a read-only transaction': async () => {
    await ordinary.query('BEGIN READ ONLY');
    try {
      return await exportQuery(ordinary, 'SELECT 1', 'k');
    } finally {
      await ordinary.query('ROLLBACK');
    }
  },
  'an ordinary role may not make temporary tables': async () => {
    await superuser.query('REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC');
    try {
      return await exportQuery(ordinary, 'SELECT 1', 'k');
    } finally {
      await superuser.query('GRANT TEMPORARY ON DATABASE postgres TO PUBLIC');
    }
  },
  'an ordinary role exports a pseudo-type in binary format': () =>
    exportQuery(ordinary, 'SELECT ROW(1, 2) AS pair', 'k', 'format binary'),
  'an ordinary role exports more columns than a table has': () =>
    exportQuery(ordinary, `SELECT ${columns(1601, '1')}`, 'k'),
  'an ordinary role exports a row that is wider than a page': () =>
    exportQuery(ordinary, `SELECT ${columns(1500, '1::bigint')}`, 'k'),
  'an ordinary role changes data behind a WITH that does, too': () =>
    exportQuery(ordinary, 'WITH a AS (DELETE FROM log) INSERT INTO log VALUES (1) RETURNING *', 'k'),
  'an ordinary role exports names that are not ASCII twice, in a database without an encoding': async () => {
    await superuser.query(`CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'`);
    const owner = await testStack.connect(undefined, 'ascii');
    await owner.query('CREATE EXTENSION aws_s3 CASCADE');
    const session = await testStack.connect(await testStack.createRole(owner, { mayExport: true }), 'ascii');
    try {
      return await exportQuery(session, 'SELECT 1 AS "\u00e9", 2 AS "\u00e9"', 'k');
    } finally {
      await Promise.all([session.end(), owner.end()]);
      await superuser.query('DROP DATABASE ascii');
    }
  },
  'the cluster has no role for s3Export': () => withRoles([], () => call('SELECT 1', BUCKET, 'k')),
  'the role cannot be assumed': () =>
    withRoles(['arn:aws:iam::000000000000:role/none'], () => call('SELECT 1', BUCKET, 'k')),
  'the agent has no AWS credentials to assume the role with': () =>
    testStack.withAgentOf(
      { aws: { access_key_id: undefined, secret_access_key: undefined, profile: 'none' } },
      () => call('SELECT 1', BUCKET, 'k'),
    ),
  'the agent does not run': () => withHost('/nowhere', () => call('SELECT 1', BUCKET, 'k')),
  'the agent ends during the export': async () => {
    await using agent = await FakeAgent.start({ answer: () => 'hang up' });
    return await withHost(agent.directory, () => call('SELECT 1', BUCKET, 'k'));
  },
  'the agent ends while it publishes': async () => {
    await using agent = await FakeAgent.start({ answer: () => 'hang up' });
    return await insideQuery(
      `PERFORM public.dblink_disconnect(c); PERFORM public.dblink_connect(c, 'host=${agent.directory} port=5432 user=x');`,
      'SELECT 1 WHERE inside() IS NULL',
    );
  },
  'the agent runs as many exports as it may': () =>
    call(`SELECT aws_s3.query_export_to_s3('SELECT 1', '${BUCKET}', 'inner')`, BUCKET, 'k'),
  'the agent is shutting down': async () => {
    const waiting = await testStack.connect();
    const { rows } = await waiting.query<{ key: string }>(`SELECT sluice.connect('c') AS key`);
    return whileExporting('SELECT pg_sleep(1000)', async (exporting) => {
      const { pid } = testStack.stack.agent;
      process.kill(pid, 'SIGTERM');
      await expect.poll(() => call('SELECT 1', BUCKET, 'k').catch(codeOf)).toBe('08001');
      try {
        return await waiting.query(
          `SELECT sluice.request('c', $1::jsonb || jsonb_build_object('key', $2::text))`,
          [BEGIN, rows[0]?.key],
        );
      } finally {
        await waiting.end();
        await superuser.query('SELECT pg_cancel_backend($1)', [exporting.pid]);
        await testStack.agentReplaced(pid);
      }
    });
  },
  'the agent is shut down during the export': () =>
    whileExporting(
      `SELECT repeat('x', 10000), pg_sleep(0.01) FROM generate_series(1, 100000)`,
      async (exporting) => {
        const { pid } = testStack.stack.agent;
        process.kill(pid, 'SIGTERM');
        await expect.poll(() => call('SELECT 1', BUCKET, 'k').catch(codeOf)).toBe('08001');
        // The second signal aborts the exports at once.
        process.kill(pid, 'SIGTERM');
        try {
          return await exporting.ended;
        } finally {
          await testStack.agentReplaced(pid);
        }
      },
    ),
  "the agent's answer is not what this version knows": async () => {
    await using agent = await FakeAgent.start({ answer: () => ({ json: {} }) });
    return await withHost(agent.directory, () => call('SELECT 1', BUCKET, 'k'));
  },
  'the agent cannot read the request': async () => {
    const session = await testStack.connect();
    await session.query(`SELECT sluice.connect('c')`);
    return session.query(`SELECT sluice.request('c', '{"op": "no such"}')`);
  },
  'the extension speaks a newer protocol than the agent': async () => {
    const session = await testStack.connect();
    await session.query(`SELECT sluice.connect('c')`);
    const { rows } = await session.query<{ answer: { error: Record<string, string> } }>(
      `SELECT convert_from(decode(answer, 'hex'), 'UTF8')::json AS answer FROM dblink('c', 'sluice 3 7b7d') AS t(answer text)`,
    );
    const { sqlstate, ...fields } = rows[0]?.answer.error ?? {};
    throw Object.assign(new Error(), fields, { code: sqlstate });
  },
  'CREATE EXTENSION finds a role sluice_copier of somebody else': async () => {
    await superuser.query('CREATE DATABASE another; ');
    const session = await testStack.connect(undefined, 'another');
    await superuser.query('ALTER ROLE sluice_copier LOGIN');
    try {
      return await session.query('CREATE EXTENSION aws_s3 CASCADE');
    } finally {
      await superuser.query('ALTER ROLE sluice_copier NOLOGIN');
      await session.end();
    }
  },
  'a superuser talks to the agent out of order': async () => {
    const session = await testStack.connect();
    await session.query(`SELECT sluice.connect('c')`);
    return session.query(`SELECT sluice.request('c', '{"op": "commit", "token": "", "rows": "0"}')`);
  },
  'somebody else begins an export on the connection of the extension': async () => {
    const session = await testStack.connect();
    await session.query(`SELECT sluice.connect('c')`);
    return session.query(`SELECT sluice.request('c', $1)`, [BEGIN]);
  },
  'the query replaced the connection to the agent': async () => {
    await using agent = await FakeAgent.start({
      answer: () => ({ json: { state: 'done', files: 1, bytes: 1 } }),
    });
    return await insideQuery(
      `PERFORM public.dblink_disconnect(c); PERFORM public.dblink_connect(c, 'host=${agent.directory} port=5432 user=x');`,
      'SELECT 1 WHERE inside() IS NULL',
    );
  },
  'the query aborted the export on the connection to the agent': () =>
    insideQuery(
      `PERFORM * FROM public.dblink(c, 'sluice 2 ${ABORT}') AS t(x text);`,
      'SELECT 1 WHERE inside() IS NULL',
    ),
  'Amazon S3 refuses': () => call('SELECT 1', 'no-such-bucket', 'k'),
  'Amazon S3 cannot be reached': async () => {
    s3.stall(/./);
    try {
      return await call('SELECT 1', BUCKET, 'k');
    } finally {
      s3.flow();
    }
  },
};

describe('docs/errors.md', () => {
  it('has the rows that are tested, and no others', () => {
    expect(documented.map(({ when }) => when)).toEqual(Object.keys(MEET));
  });

  it("has every message of the extension's SQL", async () => {
    const sql = await readFile(
      new URL('../../packages/sluice/extension/aws_s3--1.2.1.sql', import.meta.url),
      'utf8',
    );
    const messages = [...sql.matchAll(/MESSAGE = (?:pg_catalog[.])?(?:format\(\s*)?'((?:[^']|'')*)'/g)].map(
      ([, text = '']) => text.replaceAll("''", "'"),
    );
    expect(messages.length).toBeGreaterThan(10);
    const undocumented = messages.filter(
      (text) => !documented.some(({ message }) => pattern(message).test(text.replaceAll('%s', 'x'))),
    );
    // This message is COPY's own.
    expect(undocumented).toEqual(['COPY query must have a RETURNING clause']);
  });

  it.each(documented)('$when', async ({ when, code, message, detail, hint }) => {
    const error = (await MEET[when]?.().catch((raised: unknown) => raised)) as pg.DatabaseError;
    expect(error.code).toBe(code);
    expect(error.message).toMatch(pattern(message));
    // An empty cell means that the field is not set.
    expect(error.detail ?? '').toMatch(pattern(detail));
    expect(error.hint ?? '').toMatch(pattern(hint));
    // The lines of the caller of the function are not counted.
    const [ours = ''] = (error.where ?? '').split(/SQL statement "(?:COPY|DO)/);
    expect(ours.trim().split('\n').length, error.where).toBeLessThanOrEqual(MAX_CONTEXT_LINES);
    await testStack.expectNothingLeft(superuser, ordinary);
  });
});

describe.each(['superuser', 'ordinary role'])('errors of others, for a %s', (who) => {
  it.each([
    ['of the query', 'SELECT 1/0', null, { code: '22012', message: 'division by zero' }],
    ['of its syntax', 'SELEC 1', null, { code: '42601', message: 'syntax error at or near "SELEC"' }],
    ['of a name', 'SELECT no_such', null, { code: '42703', message: 'column "no_such" does not exist' }],
    [
      'of COPY',
      'SELECT 1',
      "delimiter 'xx'",
      { code: '0A000', message: 'COPY delimiter must be a single one-byte character' },
    ],
  ])('%s come out unchanged', async (_, query, options, expected) => {
    const session = who === 'superuser' ? superuser : ordinary;
    await expect(exportQuery(session, query, 'k', options)).rejects.toMatchObject({
      ...expected,
      detail: undefined,
    });
  });

  it('and leave their place to the next export at once', async () => {
    const session = who === 'superuser' ? superuser : ordinary;
    // This agent runs one export at a time.
    for (let round = 0; round < 30; round += 1) {
      await exportQuery(session, 'SELECT 1', 'k');
      await expect(exportQuery(session, 'SELECT 1', 'k', "delimiter 'xx'")).rejects.toMatchObject({
        code: '0A000',
      });
    }
  });
});

async function newRole({ usage = false }): Promise<pg.Client> {
  const role = await testStack.createRole(superuser, { mayExport: false });
  if (usage) await superuser.query(`GRANT USAGE ON SCHEMA aws_s3 TO ${role.name}`);
  return testStack.connect(role);
}

async function withRoles<T>(arns: readonly string[], work: () => Promise<T>): Promise<T> {
  const account = new AwsAccount(testStack.stack);
  try {
    return await account.withRoles(arns, work);
  } finally {
    account.close();
  }
}

async function whileExporting<T>(
  query: string,
  work: (exporting: { pid: number | undefined; ended: Promise<unknown> }) => Promise<T>,
): Promise<T> {
  const session = await testStack.connect();
  try {
    const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const ended = exportQuery(session, query, 'k');
    // The export may fail before anybody awaits it.
    ended.catch(() => undefined);
    await expect.poll(() => testStack.runningExports()).toBe(1);
    return await work({ pid: rows[0]?.pid, ended });
  } finally {
    await session.end();
  }
}

const codeOf = (error: unknown) => (error as pg.DatabaseError).code;

async function withHost<T>(host: string, work: () => Promise<T>): Promise<T> {
  const set = (to: string) => superuser.query(`ALTER SERVER sluice_agent OPTIONS (SET host '${to}')`);
  await set(host);
  try {
    return await work();
  } finally {
    await set(testStack.stack.agent.socketDirectory);
  }
}

/** Everything is literal except <placeholders>. */
function pattern(text: string): RegExp {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replace(/<[^>]+>/g, '[^]+')}$`);
}

async function readTable(file: URL): Promise<Row[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => {
    const [, when = '', code = '', message = '', detail = '', hint = ''] = line
      .split('|')
      .map((cell) => cell.trim());
    return { when, code, message: message.replaceAll('`', ''), detail, hint };
  });
}
