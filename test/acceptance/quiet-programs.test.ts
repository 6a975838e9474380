import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LocalStack } from '../../packages/local/src/index.ts';
import { allowExports } from '../../packages/local/src/stack/allow-exports.ts';
import { nodeNotice } from '../../packages/sluice/src/cli/node-notice.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SLUICE = join(ROOT, 'packages/sluice/bin/sluice.js');

/** The environment without the variable by which vitest's configuration turns the SDK's warning off. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^AWS_|^NODE_/.test(name)),
);

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-quiet-')));
  await chmod(root, 0o711);
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('a local stack that exports prints and logs no warning but the one of the agent about Node.js', async () => {
  const dir = join(root, 'state');
  const args = ['local', '--json', '--dir', dir, '--pg-port', '0', '--aws-port', '0'];
  const child = spawn(process.execPath, [SLUICE, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stderr = text(child.stderr);
  try {
    const [line] = await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      once(child, 'exit').then(() => []),
    ]);
    assert(line !== undefined, 'the stack did not start');
    const stack: Pick<LocalStack, 'cluster' | 'postgres' | 'aws'> = JSON.parse(String(line));
    // This export uses STS and a multipart upload, so that every client of the SDK is created.
    await exportLarge(stack);
    expect(await doctorErrors(dir)).toBe('');
  } finally {
    child.kill('SIGTERM');
  }
  const lines = (await stderr).trimEnd().split('\n');
  expect(lines.filter((said) => !said.startsWith('sluice local: '))).toEqual([]);

  const log = await readFile(join(dir, 'logs', 'agent.log'), 'utf8');
  const entries = log
    .trimEnd()
    .split('\n')
    .map((entry): { level: number; msg: string } => JSON.parse(entry));
  expect(entries.map(({ msg }) => msg)).toContain('export committed');
  const notice = nodeNotice(process.version);
  const isWarning = ({ level, msg }: { level: number; msg: string }) =>
    level >= 40 || msg.includes('Node.js');
  expect(entries.filter(isWarning).map(({ msg }) => msg)).toEqual(notice === undefined ? [] : [notice]);
});

test('the library changes nothing of its host', async () => {
  const program = `
    const before = JSON.stringify(process.env);
    const { S3Connection } = await import('sluice');
    new S3Connection({ region: 'us-west-2', credentials: { accessKeyId: 'a', secretAccessKey: 's' } });
    console.log(JSON.stringify(process.env) === before);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(await text(child.stdout)).toBe('true\n');
});

async function exportLarge({ cluster, postgres, aws }: Pick<LocalStack, 'cluster' | 'postgres' | 'aws'>) {
  const { endpoint, region, ...credentials } = aws;
  const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  await s3.send(new CreateBucketCommand({ Bucket: 'sample-bucket' }));
  s3.destroy();
  await allowExports({ endpoint, region, cluster, credentials, bucket: 'sample-bucket' });
  const database = new Client({ connectionString: postgres.url });
  await database.connect();
  try {
    const query = `SELECT repeat('x', 1000) FROM generate_series(1, 20000)`;
    await database.query(`SELECT aws_s3.query_export_to_s3($1, 'sample-bucket', 'large')`, [query]);
  } finally {
    await database.end();
  }
}

async function doctorErrors(dir: string): Promise<string> {
  const args = ['doctor', 's3://sample-bucket/', '--config', join(dir, 'sluice.toml')];
  const child = spawn(process.execPath, [SLUICE, ...args], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return text(child.stderr);
}
