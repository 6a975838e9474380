// Sends generated inputs to the sockets of an agent process, and checks what remains of them in the process.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { randomOf, TARGETS } from './inputs.mjs';

const PROGRAM = fileURLToPath(new URL('../../packages/sluice/bin/sluice.js', import.meta.url));
const MEMORY = new URL('./memory-preload.mjs', import.meta.url).href;
const BATCH = 50;
const START_TIMEOUT_MS = 30_000;
const ANSWER_TIMEOUT_MS = 10_000;
/** The client closes the connection after this time; the agent may still be waiting for the rest of the input. */
const INPUT_MS = 100;
/**
 * How much more memory the agent may use at the end than after a tenth of the inputs, after a garbage collection. This
 * is for compiled code and caches; nothing may grow with the inputs.
 */
const mayGrowBytes = (inputs) => (inputs >= 10_000 ? 2 : 8) * 1024 ** 2;
/**
 * The resident memory of the process, with the heaps of the parser threads, stops growing only after some thousand
 * inputs.
 */
const rssMayGrowBytes = (inputs) => (inputs >= 10_000 ? 64 : 160) * 1024 ** 2;
const DESCRIPTORS_MAY_GROW = 8;
const PING = Buffer.from(
  `\0\0\0\x15\0\x03\0\0user\0sluice\0\0Q\0\0\0\x28sluice 1 ${Buffer.from('{"op":"ping"}').toString('hex')}\0`,
  'latin1',
);

/**
 * @param options.nodeArguments additional options of Node.js for the agent's process
 * @returns the number of inputs sent; throws with the seed and the inputs when a check fails
 */
export async function fuzz({
  inputs,
  seed,
  targets = Object.keys(TARGETS),
  log = () => undefined,
  nodeArguments = [],
}) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
  const sockets = {
    rpc: join(directory, 'run', '.s.PGSQL.5432'),
    admin: join(directory, 'state', 'admin.sock'),
    rds: join(directory, 'rds.sock'),
  };
  writeFileSync(join(directory, 'sluice.toml'), configOf(directory, sockets.rds), { mode: 0o600 });
  const measured = ['--expose-gc', '--import', MEMORY, ...nodeArguments];
  const args = [...measured, PROGRAM, 'agent', '--config', join(directory, 'sluice.toml')];
  const agent = spawn(process.execPath, args, {
    env: { ...process.env, TEST_MEMORY_FILE: join(directory, 'memory') },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  try {
    await untilReady(agent, sockets.rpc);
    for (const target of targets) await fuzzTarget(target, { inputs, seed, agent, sockets, directory, log });
    return inputs * targets.length;
  } finally {
    agent.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

async function fuzzTarget(target, { inputs, seed, agent, sockets, directory, log }) {
  const { socket, make } = TARGETS[target];
  const random = randomOf(seed);
  let first;
  let batch = [];
  try {
    for (let sent = 0; sent < inputs; sent += batch.length) {
      batch = Array.from({ length: Math.min(BATCH, inputs - sent) }, () => make(random));
      await Promise.all(batch.map((bytes, i) => send(sockets[socket], bytes, (sent + i) % 4 === 0)));
      if (agent.exitCode !== null || agent.signalCode !== null) throw new Error('the agent has ended');
      await ping(sockets.rpc);
      if (first === undefined && sent + batch.length >= inputs / 10) {
        await nothingLeft(directory, sockets.rpc);
        first = await usageOf(agent, directory);
      }
    }
    await nothingLeft(directory, sockets.rpc);
    const last = await usageOf(agent, directory);
    log(`${target}: ${inputs} inputs, ${JSON.stringify({ first, last })}`);
    mayGrow('memory in use', first.used, last.used, mayGrowBytes(inputs));
    mayGrow('memory of the process', first.rss, last.rss, rssMayGrowBytes(inputs));
    mayGrow('descriptors', first.descriptors, last.descriptors, DESCRIPTORS_MAY_GROW);
  } catch (error) {
    const shown = batch.map((bytes) => `  ${bytes.subarray(0, 2_000).toString('base64')}`).join('\n');
    throw new Error(`${target}, seed ${seed}: ${error.message}; the last inputs, in Base64:\n${shown}`, {
      cause: error,
    });
  }
}

function mayGrow(what, from, to, by) {
  if (to > from + by) throw new Error(`${what} grew from ${from} to ${to}`);
}

/** Sends an input. Some clients disconnect at once, the others after INPUT_MS. */
function send(path, bytes, leavesAtOnce) {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.on('error', () => socket.destroy());
    socket.on('close', resolve);
    socket.on('connect', () => {
      socket.write(bytes, () => leavesAtOnce && socket.destroy());
      setTimeout(() => socket.destroy(), INPUT_MS);
    });
  });
}

function ping(path) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    let answer = '';
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error('the agent answers no ping')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the agent closed a ping')));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      const hex = /7b(?:[0-9a-f]{2})*7d/.exec(answer)?.[0];
      if (hex === undefined) return;
      resolve(JSON.parse(Buffer.from(hex, 'hex').toString()));
      socket.destroy();
    });
    socket.on('connect', () => socket.write(PING));
  });
}

async function nothingLeft(directory, path) {
  const giveUpAt = Date.now() + ANSWER_TIMEOUT_MS;
  for (;;) {
    const { exports, readyPipes } = await ping(path);
    const pipes = readdirSync(join(directory, 'run', 'pipes')).length - readyPipes;
    if (exports === 0 && pipes === 0) return;
    if (Date.now() > giveUpAt) throw new Error(`left behind: ${exports} exports, ${pipes} pipes`);
    await delay(50);
  }
}

/** File descriptors are counted in /proc; without it their number is 0. */
async function usageOf(agent, directory) {
  const file = join(directory, 'memory');
  rmSync(file, { force: true });
  agent.kill('SIGUSR2');
  const giveUpAt = Date.now() + ANSWER_TIMEOUT_MS;
  while (!existsSync(file)) {
    if (Date.now() > giveUpAt) throw new Error('the agent does not say what memory it uses');
    await delay(20);
  }
  const descriptors = existsSync('/proc/self/fd') ? readdirSync(`/proc/${agent.pid}/fd`).length : 0;
  return { ...JSON.parse(readFileSync(file, 'utf8')), descriptors };
}

async function untilReady(agent, path) {
  const giveUpAt = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await ping(path);
    } catch (error) {
      if (agent.exitCode !== null || Date.now() > giveUpAt) throw error;
      await delay(50);
    }
  }
}

function configOf(directory, rdsSocket) {
  // The agent never uploads, because no export is committed. Nothing listens at this S3 endpoint.
  return `
[cluster]
identifier = "fuzz"
region = "us-east-1"
[agent]
socket_directory = "${join(directory, 'run')}"
state_directory = "${join(directory, 'state')}"
[s3]
endpoint = "http://127.0.0.1:9"
access_key_id = "AKIDFUZZ"
secret_access_key = "fuzz"
[rds_api]
listen = "${rdsSocket}"
access_keys = [{ id = "AKIDFUZZ", secret = "a secret of the fuzz run" }]
`;
}
