import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { endProcess, type EndingStep } from './end-process.ts';

const STEPS: readonly [EndingStep, ...EndingStep[]] = [
  { signal: 'SIGTERM', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 10_000 },
];

async function startStubborn() {
  const program = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready');";
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, hasEnded: () => child.signalCode !== null || child.exitCode !== null, child };
}

test('a hurry cuts the wait after the gentle signal short', async () => {
  const { pid, hasEnded, child } = await startStubborn();
  const startedAt = performance.now();
  expect(await endProcess(pid, STEPS, hasEnded, AbortSignal.timeout(100))).toBe(true);
  expect(child.signalCode).toBe('SIGKILL');
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

test('a process that outlives all signals is told', async () => {
  const { pid, hasEnded, child } = await startStubborn();
  expect(await endProcess(pid, [{ signal: 'SIGTERM', waitMs: 100 }], hasEnded)).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
});
