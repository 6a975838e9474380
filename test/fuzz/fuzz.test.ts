import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/fuzz.mjs', import.meta.url));

async function fuzz(...args: string[]): Promise<{ status: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await ended;
  return { status: child.exitCode, output, errors };
}

it.each(['options', 'statement', 'rpc', 'admin', 'rds-api'])(
  'an agent outlives generated inputs (%s), and keeps nothing of them',
  async (target) => {
    const { status, output, errors } = await fuzz('--inputs', '200', '--seed', '1', '--target', target);
    expect(errors).toBe('');
    expect(output).toContain(`${target}: 200 inputs`);
    expect(status).toBe(0);
  },
);

it('shows the seed and the last inputs of a run that fails', async () => {
  const dies = `data:text/javascript,${encodeURIComponent('setTimeout(() => process.exit(7), 1500)')}`;
  const args = ['--inputs', '1000000', '--seed', '5', '--target', 'admin', '--node-argument=--import'];
  const { status, errors } = await fuzz(...args, `--node-argument=${dies}`);
  expect(status).toBe(1);
  expect(errors).toMatch(/admin, seed 5: .*; the last inputs, in Base64:\n( {2}[\w+/]*=*\n){50}/);
});
