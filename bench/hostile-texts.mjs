// How much long texts of one session delay another: the delay of the agent's event loop, and the times of a ping and of
// a small statement in a second session, without load and while the first session sends long texts one after another.
//
//   npx tsc --build && node bench/hostile-texts.mjs [seconds] [pause]
//
// With a pause (ms) between the long texts it shows what a single one does.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Agent } from '../packages/sluice/dist/agent/agent.js';
import { encodeRequest } from '../packages/sluice/dist/agent/request.js';
import { parseConfig } from '../packages/sluice/dist/config/load-config.js';

const SECONDS = Number(process.argv[2] ?? 3);
const PAUSE_MS = Number(process.argv[3] ?? 0);
const log = { info() {}, warn: console.warn, error: console.error, child: () => log };
const statement = (query) => encodeRequest({ op: 'statement', query, backslashEscapes: false });
const begin = (options) =>
  encodeRequest({
    op: 'begin',
    role: 'r',
    database: 'd',
    pid: 1,
    clientEncoding: 'UTF8',
    bucket: 'NO',
    filePath: 'k',
    region: null,
    options,
    backslashEscapes: false,
    kmsKey: null,
  }).replace(Buffer.from('"NO"').toString('hex'), Buffer.from('"some-bucket"').toString('hex'));

const ATTACKS = {
  nothing: undefined,
  'a query of 1,000,000 words': statement('a '.repeat(499_999) + ';'),
  'a query of 1,000,000 quotes': statement(`SELECT ${"';'".repeat(330_000)}`),
  'a query of 1,000,000 backslashes': statement('\\'.repeat(999_000)),
  'options of 100,000 characters (a sum)': begin(`(format csv); SELECT ${'1+'.repeat(49_000)}1`),
  'options of 100,000 characters (comments)': begin('/*'.repeat(25_000) + '*/'.repeat(25_000) + 'x'),
  'options of 107,000 characters (columns)': begin(
    `format nonsense, x, force_quote (${Array.from({ length: 1600 }, (_, i) => `"${String(i).padStart(63, 'x')}"`).join()})`,
  ),
};

async function connect(directory) {
  const client = new pg.Client({ host: directory, user: 'sluice' });
  client.on('error', (error) => console.error(error));
  await client.connect();
  return client;
}

if (process.send === undefined) await measure();
else process.once('message', (message) => void attack(message));

/** Runs in its own process, as a session of PostgreSQL does. */
async function attack({ directory, text, pauseMs }) {
  const client = await connect(directory);
  for (;;) {
    await client.query(text);
    await delay(pauseMs);
  }
}

async function measure() {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const config = parseConfig(
    `[cluster]\nidentifier = "bench"\nregion = "us-west-2"\n[agent]\nsocket_directory = "${directory}/s"\nstate_directory = "${directory}/state"\n[s3]\naccess_key_id = "a"\nsecret_access_key = "b"\nendpoint = "http://127.0.0.1:1"\n`,
    'bench',
  );
  const agent = await Agent.start({ config, log });
  const client = await connect(`${directory}/s`);
  const asked = { ping: encodeRequest({ op: 'ping' }), statement: statement('SELECT 1; --') };
  for (const [name, text] of Object.entries(ATTACKS)) {
    const attacker =
      text === undefined ? undefined : fork(new URL(import.meta.url), { serialization: 'advanced' });
    attacker?.send({ directory: `${directory}/s`, text, pauseMs: PAUSE_MS });
    await delay(500);
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const times = Object.fromEntries(Object.keys(asked).map((key) => [key, []]));
    const end = performance.now() + SECONDS * 1000;
    while (performance.now() < end) {
      for (const [key, question] of Object.entries(asked)) {
        const start = performance.now();
        await client.query(question);
        times[key].push(performance.now() - start);
      }
      await delay(5);
    }
    loop.disable();
    if (attacker?.kill() === true) await once(attacker, 'exit');
    const shown = Object.entries(times).map(([key, all]) => {
      const sorted = all.toSorted((a, b) => a - b);
      return `${key} median ${sorted[sorted.length >> 1].toFixed(2)} p99 ${sorted[Math.floor(sorted.length * 0.99)].toFixed(1)} max ${sorted.at(-1).toFixed(1)}`;
    });
    console.log(
      `${name.padEnd(42)} ${shown.join('   ')}   event loop p99 ${(loop.percentile(99) / 1e6).toFixed(1)} max ${(loop.max / 1e6).toFixed(1)} (ms)`,
    );
  }
  console.log(`resident: ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`);
  await client.end();
  await agent.stop({ gracePeriodMs: 0 });
  await rm(directory, { recursive: true, force: true });
}
