import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { encodeRequest } from '../request.ts';
import { ParserPool, type ParserPoolOptions } from './parser-pool.ts';

const pools: ParserPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

async function open(options: Partial<ParserPoolOptions> = {}): Promise<ParserPool> {
  const pool = await ParserPool.open({ log: pino({ level: 'silent' }), ...options });
  pools.push(pool);
  return pool;
}

/** A parser thread that obeys the texts that it is given. */
function program(body: string): URL {
  return new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort as port } from 'node:worker_threads';
      port.on('message', (job) => {
        const word = job.query?.trim() ?? job.text;
        if (word === 'spin') for (;;);
        if (word === 'overflow') { const f = () => f() + 1; f(); }
        if (word === 'later') setTimeout(() => { throw new Error('late'); }, 30);
        if (word === 'exit') process.exit(0);
        if (word === 'wait') return setTimeout(() => port.postMessage({ kind: job.kind, end: 1, options: [] }), 400);
        port.postMessage({ kind: job.kind, end: job.query?.length, options: [{ name: word, value: null }] });
      });
      ${body}`)}`,
  );
}
const obedient = program(`port.postMessage('ready')`);
const long = (word: string) => word.padEnd(20_000);

describe('ParserPool', () => {
  it('reads options, queries and requests', async () => {
    const pool = await open();
    expect(await pool.copyOptions('format csv')).toEqual([{ name: 'format', value: 'csv' }]);
    expect(await pool.copyOptions(null)).toEqual([]);
    expect(await pool.copyOptions(String.raw`null '\''`, { backslashEscapes: true })).toEqual([
      { name: 'null', value: "'" },
    ]);
    expect(await pool.singleStatement('SELECT 1; --')).toBe('SELECT 1');
    const query = `SELECT '${'é'.repeat(500_000)}'`;
    const request = { op: 'statement', query: `${query};`, backslashEscapes: false } as const;
    const read = await pool.readRequest(Buffer.from(encodeRequest(request)));
    const answer = 'answer' in read ? Buffer.from(Buffer.from(read.answer).toString(), 'hex').toString() : '';
    expect(JSON.parse(answer)).toEqual({ statement: query });
    expect(await pool.readRequest(Buffer.from(encodeRequest({ op: 'ping' })))).toMatchObject({
      request: { op: 'ping' },
    });
    expect(await pool.readRequest(Buffer.from('SELECT 1'))).toMatchObject({ request: undefined });
  });

  it('gives the errors of a text as the parser does', async () => {
    const pool = await open();
    const syntax = { code: 'options_syntax', detail: expect.stringContaining('syntax error') as unknown };
    await expect(pool.copyOptions('format = csv')).rejects.toMatchObject(syntax);
    await expect(pool.copyOptions('x'.repeat(250_001))).rejects.toMatchObject({ code: 'options_syntax' });
    await expect(pool.singleStatement('SELECT 1; SELECT 2')).rejects.toThrow(/several statements/);
    await expect(pool.readRequest(Buffer.from('sluice 1 zz'))).rejects.toMatchObject({
      code: 'protocol_violation',
    });
  });

  it.each([
    ['does not come to an end', 'spin', 'longer than 200 ms'],
    ['overflows the stack', 'overflow', 'Maximum call stack size exceeded'],
    ['ends the thread', 'exit', 'has ended'],
  ])('refuses a text that %s, as often as it comes, and reads others meanwhile', async (_, word, reason) => {
    const pool = await open({ program: obedient, timeLimitMs: 200 });
    const refused = {
      code: 'text_too_complex',
      message: 'could not read the options of the export',
      detail: expect.stringContaining(reason) as unknown,
    };
    const hostile = Array.from({ length: 8 }, () =>
      expect(pool.copyOptions(word)).rejects.toMatchObject(refused),
    );
    expect(await pool.copyOptions('good')).toEqual([{ name: 'good', value: null }]);
    await Promise.all(hostile);
    expect(await pool.copyOptions('good')).toEqual([{ name: 'good', value: null }]);
  });

  it('replaces a thread that ends while it has nothing to read', async () => {
    const lost: string[] = [];
    const log = pino({}, { write: (line) => lost.push(line) });
    const pool = await open({ program: obedient, log });
    for (let time = 1; time <= 5; time += 1) {
      await pool.copyOptions('later');
      while (lost.length < time) await delay(5);
      expect(await pool.copyOptions('good')).toEqual([{ name: 'good', value: null }]);
    }
  });

  it('answers short texts while long ones are worked on, and those one after another', async () => {
    const pool = await open({ program: obedient });
    const answered: string[] = [];
    const note = (name: string) => () => answered.push(name);
    await Promise.all([
      ...['a', 'b', 'c', 'd'].map((name) => pool.singleStatement(long('wait')).then(note(name))),
      pool.singleStatement('short').then(note('short')),
      pool.copyOptions('format').then(note('options')),
    ]);
    expect(answered.slice(0, 2).toSorted()).toEqual(['options', 'short']);
    expect(answered.slice(2)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('lets so many wait, and tells the others', async () => {
    const pool = await open({ program: obedient, timeLimitMs: 60_000 });
    const waiting = Array.from({ length: 65 }, () => pool.singleStatement(long('spin')));
    const ended = waiting.map((one) => expect(one).rejects.toMatchObject({ code: 'agent_unavailable' }));
    await expect(pool.singleStatement(long('spin'))).rejects.toThrow(/too many/);
    expect(await pool.singleStatement('short')).toBe('short');
    await pool.close();
    await Promise.all(ended);
  });

  it('forgets a text that nobody waits for any more', async () => {
    const pool = await open({ program: obedient, timeLimitMs: 60_000 });
    const spinning = Array.from({ length: 3 }, () => pool.copyOptions('spin'));
    const ended = spinning.map((one) => expect(one).rejects.toThrow(/shutting down/));
    const gone = new AbortController();
    const waiting = pool.copyOptions('good', { signal: gone.signal });
    gone.abort(new Error('nobody waits'));
    await expect(waiting).rejects.toThrow('nobody waits');
    await pool.close();
    await Promise.all(ended);
    await expect(pool.copyOptions('good')).rejects.toMatchObject({ code: 'agent_unavailable' });
  });

  it.each([
    ['is missing', new URL('file:///nowhere/parser-worker.js')],
    ['fails', program(`throw new RangeError('out of memory')`)],
    ['ends', program('process.exit(0)')],
  ])('does not open when the program of its threads %s', async (_, missing) => {
    await expect(open({ program: missing })).rejects.toMatchObject({
      code: 'agent_unavailable',
      message: 'the Sluice agent cannot read queries and options',
    });
  });
});
