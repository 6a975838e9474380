// How long an export takes to react to a cancel, in each place of test/support/cancel-places.ts: median and worst case.
//
//   [SLUICE_PG_VERSION=14] node bench/cancel-latency.mjs [rounds]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const ROUNDS = Number(process.argv[2] ?? 3);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const directory = await mkdtemp(join(tmpdir(), 'sluice-cancel-'));
const report = join(directory, 'report');

for (let round = 0; round < ROUNDS; round += 1) {
  const child = spawn(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      'acceptance',
      'cancel',
      '--reporter=dot',
    ],
    {
      cwd: root,
      env: { ...process.env, SLUICE_CANCEL_REPORT: report },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const [status] = await once(child, 'close');
  if (status !== 0)
    console.log(`round ${round + 1}: a cancel was not answered in time; run npm test -- cancel`);
}

const latencies = new Map();
for (const line of (await readFile(report, 'utf8')).trim().split('\n')) {
  const { who, name, latencyMs } = JSON.parse(line);
  const place = `${who}: ${name}`;
  latencies.set(place, [...(latencies.get(place) ?? []), latencyMs]);
}
await rm(directory, { recursive: true });
for (const [place, times] of latencies) {
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  console.log(
    `${place.padEnd(84)} ${median.toFixed(0).padStart(6)} ms ${sorted.at(-1).toFixed(0).padStart(6)} ms`,
  );
}
