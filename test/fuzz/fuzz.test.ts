import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/fuzz.mjs', import.meta.url));

it.each(['options', 'statement', 'rpc', 'admin', 'rds-api'])(
  'an agent outlives generated inputs (%s), and keeps nothing of them',
  async (target) => {
    const child = spawn(process.execPath, [SCRIPT, '--inputs', '200', '--seed', '1', '--target', target], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(output).toContain(`${target}: 200 inputs`);
    expect(child.exitCode).toBe(0);
  },
);
