import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeAgent, message, rows, type FakeAnswer, type FakeRequest } from '../support/fake-agent.ts';
import { exportQuery, TestStack } from '../support/test-stack.ts';

const run = promisify(execFile);
const NAME = 'a'.repeat(32);
const TOKEN = 'b'.repeat(32);
const RECEIPT = 'c'.repeat(32);
const BEGUN = { token: TOKEN + RECEIPT, pipe: NAME, options: [] };
const DONE = { state: 'done', files: 1, bytes: 2, receipt: RECEIPT };
const NO_SENSE = { code: '08P01', message: 'the Sluice agent gave an answer that makes no sense' };
const LOST = { code: '08006', message: 'lost the connection to the Sluice agent' };

let testStack: TestStack;
let superuser: pg.Client;
let ordinary: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  ordinary = await testStack.connect(await testStack.createRole(superuser, { mayExport: true }));
});
afterAll(async () => testStack?.stop());

interface HostileAnswer {
  name: string;
  /** Creates something in the folder of the pipes. */
  prepare?: (pipe: string, folder: string) => Promise<unknown>;
  begin?: unknown;
  commit?: FakeAnswer;
  /** Sent in place of a JSON answer to begin. */
  raw?: FakeAnswer;
  error: object;
}

const CASES: readonly HostileAnswer[] = [
  { name: 'a pipe outside of its folder', begin: { ...BEGUN, pipe: '../victim' }, error: NO_SENSE },
  { name: 'an absolute path', begin: { ...BEGUN, pipe: '/tmp/victim' }, error: NO_SENSE },
  { name: 'a name with a line end', begin: { ...BEGUN, pipe: `${NAME}\n` }, error: NO_SENSE },
  { name: 'a name in another case', begin: { ...BEGUN, pipe: NAME.toUpperCase() }, error: NO_SENSE },
  { name: 'a pipe that is not there', begin: BEGUN, error: NO_SENSE },
  { name: 'an empty file', prepare: (pipe) => writeFile(pipe, ''), begin: BEGUN, error: NO_SENSE },
  { name: 'a file', prepare: (pipe) => writeFile(pipe, 'kept'), begin: BEGUN, error: NO_SENSE },
  { name: 'a folder', prepare: (pipe) => mkdir(pipe), begin: BEGUN, error: NO_SENSE },
  {
    name: 'a link to a file',
    prepare: (pipe, folder) => symlink(join(folder, 'victim'), pipe),
    begin: BEGUN,
    error: NO_SENSE,
  },
  {
    name: 'a link to nothing',
    prepare: (pipe) => symlink('/tmp/sluice-nothing', pipe),
    begin: BEGUN,
    error: NO_SENSE,
  },
  { name: 'a device', prepare: (pipe) => symlink('/dev/null', pipe), begin: BEGUN, error: NO_SENSE },
  { name: 'no token', begin: { ...BEGUN, token: undefined }, error: NO_SENSE },
  { name: 'a short token', begin: { ...BEGUN, token: 'ab' }, error: NO_SENSE },
  { name: 'a token that is SQL', begin: { ...BEGUN, token: "'; DROP TABLE victim; --" }, error: NO_SENSE },
  {
    name: 'options that are no list',
    prepare: fifo,
    begin: { ...BEGUN, options: 'format csv' },
    error: NO_SENSE,
  },
  {
    name: 'an option that leaves the list',
    prepare: fifo,
    begin: { ...BEGUN, options: [{ name: "format csv) TO PROGRAM 'touch /tmp/victim' --", value: null }] },
    error: { code: '42601', message: expect.stringContaining('not recognized') as unknown },
  },
  {
    name: 'a value that leaves the list',
    prepare: fifo,
    begin: { ...BEGUN, options: [{ name: 'null', value: "') TO '/tmp/victim' --\\" }] },
    commit: { json: { ...DONE, receipt: undefined } },
    error: { code: '08P01' },
  },
  { name: 'an error without a text', begin: { error: {} }, error: { code: 'XX000' } },
  {
    name: 'an error that is a success',
    begin: { error: { sqlstate: '00000', message: 'm' } },
    error: { code: 'XX000', message: 'm' },
  },
  {
    name: 'an error with no SQLSTATE',
    begin: { error: { sqlstate: 'nonsense', message: 'm' } },
    error: { code: 'XX000', message: 'm' },
  },
  {
    name: 'an error full of formats',
    begin: { error: { sqlstate: '58000', message: '%s %n 100%', detail: '%', hint: '%1$s' } },
    error: { code: '58000', message: '%s %n 100%', detail: '%', hint: '%1$s' },
  },
  { name: 'an array', begin: [], error: NO_SENSE },
  { name: 'null', begin: null, error: NO_SENSE },
  { name: 'an answer that is not hexadecimal', raw: { bytes: rows(['zz']) }, error: { code: '22023' } },
  { name: 'an answer that is not JSON', raw: { bytes: rows(['7b']) }, error: { code: '22P02' } },
  { name: 'an answer that is not UTF-8', raw: { bytes: rows(['ff']) }, error: { code: '22021' } },
  {
    name: 'two columns',
    raw: { bytes: rows(['7b7d', '7b7d']) },
    error: { code: expect.stringMatching(/^(42804|08006)$/) as unknown },
  },
  {
    name: 'an error of the protocol',
    raw: { bytes: Buffer.concat([message('E', 'SERROR\0C58000\0Mno\0\0'), message('Z', 'I')]) },
    error: { code: '58000' },
  },
  { name: 'the end of the connection', raw: 'hang up', error: LOST },
  {
    name: 'noise',
    raw: { bytes: Buffer.alloc(100, 0xff) },
    error: { code: expect.stringMatching(/^0800/) as unknown },
  },
  {
    name: 'a commit without the receipt',
    prepare: fifo,
    begin: BEGUN,
    commit: { json: { ...DONE, receipt: undefined } },
    error: { code: '08P01' },
  },
  {
    name: 'a commit with the token for the receipt',
    prepare: fifo,
    begin: BEGUN,
    commit: { json: { ...DONE, receipt: TOKEN } },
    error: { code: '08P01' },
  },
  {
    name: 'a count that is no number',
    prepare: fifo,
    begin: BEGUN,
    commit: { json: { ...DONE, files: 'x' } },
    error: { code: '22P02' },
  },
  {
    name: 'the end of the connection at the commit',
    prepare: fifo,
    begin: BEGUN,
    commit: 'hang up',
    error: LOST,
  },
];

describe.each(['superuser', 'ordinary role'])('for a %s, an agent that answers', (who) => {
  it.each(CASES)('$name', { timeout: 15_000 }, async ({ prepare, begin, commit, raw, error }) => {
    const open: number[] = [];
    await using agent = await FakeAgent.start({
      answer: ({ op }) => {
        if (op === 'begin') return raw ?? { json: begin };
        if (op === 'commit') return commit ?? { json: DONE };
        return { json: { state: 'aborted' } };
      },
    });
    const folder = join(agent.directory, 'pipes');
    await writeFile(join(agent.directory, 'victim'), 'kept', { mode: 0o666 });
    await writeFile(join(folder, 'victim'), 'kept', { mode: 0o666 });
    await prepare?.(join(folder, NAME), folder);
    // Like the real agent, keep both ends of the pipe open.
    if (prepare === fifo) open.push(openSync(join(folder, NAME), constants.O_RDWR | constants.O_NONBLOCK));
    const before = await readdir(folder);
    await using pointer = await pointAt(agent.directory);
    void pointer;
    const session = who === 'superuser' ? superuser : ordinary;
    await expect(exportQuery(session, 'SELECT 1', 'x')).rejects.toMatchObject(error);
    open.forEach((fd) => closeSync(fd));
    expect(await readdir(folder)).toEqual(before);
    expect(await readFile(join(folder, 'victim'), 'utf8')).toBe('kept');
    expect(await readFile(join(agent.directory, 'victim'), 'utf8')).toBe('kept');
    await expectNoConnection(session);
  });

  it('what it should is believed', async () => {
    await using agent = await FakeAgent.start({
      answer: ({ op }) => ({ json: op === 'begin' ? BEGUN : DONE }),
    });
    const pipe = join(agent.directory, 'pipes', NAME);
    await fifo(pipe);
    const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    await using pointer = await pointAt(agent.directory);
    void pointer;
    const session = who === 'superuser' ? superuser : ordinary;
    expect(await exportQuery(session, 'SELECT 1', 'x')).toEqual({ rows: 1, files: 1, bytes: 2 });
    closeSync(fd);
  });

  it.each([
    ['another query', 'SELECT 2'],
    ['a longer query', "SELECT ';'; SELECT 2"],
    ['a part of a word', 'SELE'],
    ['a part of a string', "SELECT '"],
    ['nothing', null],
    ['an empty query', ''],
  ])('%s for the query', async (_, statement) => {
    await using agent = await FakeAgent.start({ answer: () => ({ json: { statement } }) });
    await using pointer = await pointAt(agent.directory);
    void pointer;
    const session = who === 'superuser' ? superuser : ordinary;
    await expect(exportQuery(session, "SELECT ';'", 'x')).rejects.toMatchObject({
      code: expect.stringMatching(/^(08P01|42601)$/) as unknown,
    });
    expect(agent.requests.filter(({ op }: FakeRequest) => op === 'begin')).toEqual([]);
    await expectNoConnection(session);
  });

  it.each([
    ['pending for ever', { json: { state: 'pending' } } as const],
    ['nothing at all', 'silence' as const],
  ])('%s can be cancelled', async (_, answer) => {
    await using agent = await FakeAgent.start({
      answer: async () => {
        await delay(100);
        return answer;
      },
    });
    await using pointer = await pointAt(agent.directory);
    void pointer;
    const session = who === 'superuser' ? superuser : ordinary;
    const { processID } = session as unknown as { processID: number };
    const ended = exportQuery(session, 'SELECT 1', 'x').catch((error: unknown) => error);
    await delay(1_000);
    await superuser2().then((client) => client.query('SELECT pg_cancel_backend($1)', [processID]));
    expect(await ended).toMatchObject({ code: '57014' });
    await expectNoConnection(session);
  });
});

let second: pg.Client | undefined;
async function superuser2(): Promise<pg.Client> {
  return (second ??= await testStack.connect());
}

async function fifo(path: string): Promise<void> {
  await run('mkfifo', ['-m', '666', path]);
}

async function expectNoConnection(session: pg.Client): Promise<void> {
  const { rows: found } = await session.query('SELECT public.dblink_get_connections() AS open');
  expect(found).toEqual([{ open: null }]);
}

/** Until it is disposed, makes the extension use the agent in this directory. */
async function pointAt(directory: string): Promise<AsyncDisposable> {
  const set = (host: string) => superuser.query(`ALTER SERVER sluice_agent OPTIONS (SET host '${host}')`);
  await set(directory);
  return {
    [Symbol.asyncDispose]: async () => {
      await set(testStack.stack.agent.socketDirectory);
    },
  };
}
