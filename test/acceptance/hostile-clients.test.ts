import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../support/fake-agent.ts';
import { exportQuery, TestStack } from '../support/test-stack.ts';

const MAX_EXPORTS = 4;
/** Characters that a terminal interprets. */
const OBEYED = /[\p{Cc}\p{Cf}]/u;
const STARTUP = Buffer.from('\0\0\0\x15\0\x03\0\0user\0sluice\0\0', 'latin1');

let testStack: TestStack;
let superuser: pg.Client;
let agentPid: number;

beforeAll(async () => {
  testStack = await TestStack.start({ agentConfig: { agent: { max_exports: MAX_EXPORTS } } });
  superuser = await testStack.connect();
  agentPid = testStack.stack.agent.pid;
});
afterEach(async () => {
  expect(await exportQuery(superuser, 'SELECT 1', 'after')).toMatchObject({ rows: 1 });
  expect(testStack.stack.agent.pid).toBe(agentPid);
  await testStack.expectNothingLeft(superuser);
});
afterAll(async () => testStack?.stop());

const socketPath = () => join(testStack.stack.agent.socketDirectory, '.s.PGSQL.5432');

async function connect(): Promise<Socket> {
  const socket = createConnection(socketPath());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** The agent's answers to these bytes, until it sends nothing more. */
async function send(...chunks: readonly Buffer[]): Promise<string> {
  const socket = await connect();
  const answers: Buffer[] = [];
  socket.on('data', (chunk) => answers.push(chunk));
  for (const chunk of chunks) socket.write(chunk);
  await Promise.race([new Promise((resolve) => socket.once('close', resolve)), delay(500)]);
  socket.destroy();
  return Buffer.concat(answers).toString('latin1');
}

const request = (json: string | Buffer) => message('Q', `sluice 2 ${Buffer.from(json).toString('hex')}\0`);
const decoded = (answer: string) =>
  Buffer.from(/(?:[0-9a-f]{2}){8,}/.exec(answer)?.[0] ?? '', 'hex').toString();

describe('a client of the socket', () => {
  it.each([
    ['noise', [Buffer.alloc(2_000, 0xff)], /FATAL/],
    ['a startup packet of 2 GB', [Buffer.from([0x7f, 0xff, 0xff, 0xff])], /FATAL/],
    ['a negative length', [STARTUP, Buffer.from('Q\xff\xff\xff\xff', 'latin1')], /FATAL/],
    // The agent refuses the message after its header. Data sent after that may find the connection closed.
    ['a message of 16 MB', [STARTUP, Buffer.from('Q\x01\0\0\0', 'latin1')], /FATAL/],
    ['another version of the protocol', [Buffer.from('\0\0\0\x08\0\x02\0\0', 'latin1')], /FATAL/],
    ['HTTP', [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')], /FATAL/],
    ['a query', [STARTUP, message('Q', 'SELECT 1\0')], /this is the Sluice agent, not a database/],
    ['a prepared statement', [STARTUP, message('P', '\0SELECT 1\0\0\0')], /only simple queries/],
    ['nothing but half a message', [STARTUP, Buffer.from('Q\0\0\x10\0sluice', 'latin1')], /^R/],
  ])('%s', async (_, bytes, answer) => {
    expect(await send(...bytes)).toMatch(answer);
  });

  it.each([
    ['JSON of a great depth', '['.repeat(1_000_000)],
    ['another type', '[]'],
    ['no operation', '{}'],
    ['a prototype', '{"__proto__": {"op": "ping"}, "constructor": {"prototype": {"op": "ping"}}}'],
    ['numbers for strings', '{"op": "commit", "token": 1, "rows": 1}'],
    ['rows that are no number', '{"op": "commit", "token": "x", "rows": "1e9"}'],
    ['a path in a token', '{"op": "commit", "token": "../../etc", "rows": "1"}'],
    ['UTF-8 that is none', Buffer.from([0xff, 0xfe])],
  ])('a request with %s', async (_, json) => {
    expect(decoded(await send(STARTUP, request(json)))).toMatch(/"sqlstate":"08P01"/);
  });

  it('a statement of a million characters is read while others export', async () => {
    const query = `SELECT ${'('.repeat(300_000)}${'1,'.repeat(300_000)};`;
    const answer = send(
      STARTUP,
      request(JSON.stringify({ op: 'statement', query, backslashEscapes: false })),
    );
    const began = performance.now();
    await exportQuery(superuser, 'SELECT 1', 'meanwhile');
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await answer).toMatch(/^R/);
  });

  it('many connections, and then some that are told so', async () => {
    const sockets = await Promise.all(Array.from({ length: MAX_EXPORTS + 64 }, connect));
    expect(await send(STARTUP)).toMatch(/53300[^]*connections already/);
    sockets.forEach((socket) => socket.destroy());
    await delay(200);
  });

  it('one byte at a time', async () => {
    const bytes = Buffer.concat([STARTUP, request('{"op": "ping"}')]);
    const socket = await connect();
    socket.setNoDelay(true);
    const answered = new Promise((resolve) =>
      socket.on('data', (chunk) => /sluice|7b/.test(chunk.toString()) && resolve(true)),
    );
    for (const byte of bytes) socket.write(Buffer.from([byte]));
    expect(await answered).toBe(true);
    socket.destroy();
  });
});

// Only root can run a process as another user.
describe.skipIf(process.getuid?.() !== 0)('another user of the host', () => {
  const asStranger = async (script: string): Promise<string> => {
    const child = spawn(process.execPath, ['-e', script], {
      uid: 1,
      gid: 1,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return text(child.stdout);
  };

  it.each([
    [
      'connects to the socket',
      (d: string) =>
        `require('net').connect('${d}/.s.PGSQL.5432').on('error', (e) => console.log(e.code)).on('connect', () => console.log('in'))`,
    ],
    [
      'lists the pipes',
      (d: string) =>
        `try { console.log(require('fs').readdirSync('${d}/pipes')) } catch (e) { console.log(e.code) }`,
    ],
    [
      'makes a pipe',
      (d: string) =>
        `try { require('fs').writeFileSync('${d}/pipes/x', '') } catch (e) { console.log(e.code) }`,
    ],
  ])('who %s is refused', async (_, script) => {
    expect(await asStranger(script(testStack.stack.agent.socketDirectory))).toBe('EACCES\n');
  });
});

describe('nothing secret', () => {
  const QUERY_SECRET = 'secret-in-the-query';

  it('stands in logs, process titles or pg_stat_activity', async () => {
    const role = '"evil\u001b[31m\u009b31m\u202e\nFATAL: forged"';
    await superuser.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA aws_s3 TO ${role};
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA aws_s3 TO ${role}; SET ROLE ${role}`);
    await exportQuery(superuser, `SELECT '${QUERY_SECRET}'; --`, 'key\u001b[31m\u009b31m\u202e\nforged');
    await expect(
      exportQuery(superuser, `SELECT '${QUERY_SECRET}'`, 'bad', `null '${QUERY_SECRET}`),
    ).rejects.toMatchObject({ code: '42601' });
    await expect(
      superuser.query(`SELECT aws_s3.query_export_to_s3('SELECT 1', 'no-such-bucket', E'k\\x1b[31m\\u202e')`),
    ).rejects.toMatchObject({ hint: expect.not.stringMatching(OBEYED) as unknown });
    await superuser.query('RESET ROLE');
    await exportQuery(
      superuser,
      `SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
      'activity',
    );
    const activity = (await testStack.object('activity')).toString();
    expect(activity).toContain('aws_s3.query_export_to_s3');
    expect(activity).not.toMatch(/sluice 2 |pipes|token/);

    const agentLog = await readFile(testStack.stack.agent.logFile, 'utf8');
    const postgresLog = await readFile(join(testStack.stack.directory, 'logs', 'postgres.log'), 'utf8');
    const commandLine = await readFile(`/proc/${agentPid}/cmdline`, 'utf8').catch(() => '');
    const { secretAccessKey } = testStack.stack.aws;
    for (const shown of [agentLog, postgresLog, commandLine, activity])
      expect(shown).not.toContain(secretAccessKey);
    expect(agentLog).toContain('evil');
    expect(agentLog).not.toContain(QUERY_SECRET);
    expect(agentLog).not.toMatch(/Credential=|x-amz-security-token/i);
    // Neither terminal control characters, nor extra log lines made by a client.
    expect(agentLog.replaceAll('\n', '')).not.toMatch(OBEYED);
    for (const line of agentLog.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
    expect(await testStack.keys('activity')).toEqual(['activity']);
  });
});
