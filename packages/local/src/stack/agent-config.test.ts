import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'smol-toml';
import { writeAgentConfig } from './agent-config.ts';

test('overrides count over the settings of the stack, key by key', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  try {
    const file = join(directory, 'sluice.toml');
    const own = { agent: { log_level: 'info', max_exports: 256 }, s3: { force_path_style: true } };
    await writeAgentConfig(file, own, { agent: { log_level: 'debug' }, export: { file_limit: '10MiB' } });
    expect(parse(await readFile(file, 'utf8'))).toEqual({
      agent: { log_level: 'debug', max_exports: 256 },
      s3: { force_path_style: true },
      export: { file_limit: '10MiB' },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  } finally {
    await rm(directory, { recursive: true });
  }
});
