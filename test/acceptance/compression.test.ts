import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasZstd } from '../../packages/sluice/src/compression/zstd-stream.ts';
import { BUCKET, exportQuery, TestStack } from '../support/test-stack.ts';

const FILE_LIMIT = 400_000;
const QUERY = `SELECT g AS id, CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN E'two\\nlines, "quoted"' ELSE '表示ソ' END AS a, md5(g::text) AS b
  FROM generate_series(1, 30000) AS g`;
const COMPRESSIONS: readonly string[] = ['compression gzip', 'compression gzip, compression_level 9'];
const ZSTD: readonly string[] = hasZstd() ? ['compression zstd, compression_level 1'] : [];
if (!hasZstd())
  console.warn(`zstd is left out: Node.js ${process.version} has none (npm run test:node -- 22 24)`);

let testStack: TestStack;
let superuser: pg.Client;
let ordinary: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start({
    agentConfig: { export: { file_limit: FILE_LIMIT, memory: '24MiB', part_size: '5MiB' } },
  });
  superuser = await testStack.connect();
  ordinary = await testStack.connect(await testStack.createRole(superuser, { mayExport: true }));
});
afterEach(async () => testStack.expectNothingLeft(superuser, ordinary));
afterAll(async () => testStack?.stop());

const head = (key: string) => testStack.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));
const sessions = () => ({ superuser, ordinary });

async function contentOf(key: string): Promise<Buffer> {
  const { ContentEncoding } = await head(key);
  const decompress: unknown =
    ContentEncoding === 'zstd' && 'zstdDecompress' in zlib ? zlib.zstdDecompress : zlib.gunzip;
  return promisify(decompress as typeof zlib.gunzip)(await testStack.object(key));
}

describe.each(['superuser', 'ordinary'] as const)('a compressed export of the %s', (caller) => {
  it.each(
    ['format text', 'format csv, header', 'format binary'].flatMap((format) =>
      [...COMPRESSIONS, ...ZSTD].map((compression) => [`${format}, ${compression}`, format]),
    ),
  )('with %s holds what COPY writes, in files that stand alone', async (options, format) => {
    const expected = await testStack.copy(superuser, QUERY, format);
    const key = `${caller}/${options}`;
    const answer = await exportQuery(sessions()[caller], QUERY, key, options);
    expect(answer.rows).toBe(30_000);
    expect(answer.files).toBe(
      (await testStack.keys(key)).filter((each) => each === key || each.startsWith(`${key}_part`)).length,
    );

    const keys = Array.from({ length: answer.files }, (_, i) => (i === 0 ? key : `${key}_part${i + 1}`));
    const heads = await Promise.all(keys.map(head));
    const encoding = options.includes('zstd') ? 'zstd' : 'gzip';
    expect(heads.map(({ ContentEncoding }) => ContentEncoding)).toEqual(keys.map(() => encoding));
    expect(heads.reduce((sum, { ContentLength = 0 }) => sum + ContentLength, 0)).toBe(answer.bytes);
    const contents = await Promise.all(keys.map(contentOf));
    expect(Buffer.concat(contents).equals(expected)).toBe(true);
    // Cut by the bytes of the rows.
    expect(contents.length).toBeGreaterThan(2);
    for (const content of contents) expect(content.length).toBeLessThanOrEqual(FILE_LIMIT + 2);
  });

  it.each([
    ['no rows', 'SELECT 1 WHERE false', ''],
    ['one byte', `SELECT ''`, '\n'],
  ])('stores %s as a file that decompresses to it', async (_, query, content) => {
    await exportQuery(sessions()[caller], query, `${caller}/small`, 'compression gzip');
    expect((await contentOf(`${caller}/small`)).toString()).toBe(content);
  });

  it('says nothing of an encoding with compression none', async () => {
    await exportQuery(sessions()[caller], 'SELECT 1', `${caller}/none`, 'compression none');
    expect((await head(`${caller}/none`)).ContentEncoding).toBeUndefined();
    expect((await testStack.object(`${caller}/none`)).toString()).toBe('1\n');
  });

  it('leaves nothing when the query fails in the middle', async () => {
    await expect(
      exportQuery(
        sessions()[caller],
        'SELECT repeat(md5(g::text), 100), 1 / (5000 - g) FROM generate_series(1, 10000) AS g',
        `${caller}/failed`,
        'compression gzip',
      ),
    ).rejects.toMatchObject({ code: '22012' });
    expect(await testStack.keys(`${caller}/failed`)).toEqual([]);
  });

  it('leaves nothing when it is cancelled while the agent compresses', async () => {
    const session = sessions()[caller];
    await session.query(`SET statement_timeout = '1s'`);
    try {
      await expect(
        exportQuery(
          session,
          `SELECT repeat(md5(g::text), 20) FROM generate_series(1, 100000000) AS g`,
          `${caller}/cancelled`,
          'compression gzip, compression_level 9',
        ),
      ).rejects.toMatchObject({ code: '57014' });
    } finally {
      await session.query('RESET statement_timeout');
    }
    expect(await testStack.keys(`${caller}/cancelled`)).toEqual([]);
  });
});

it('eight compressed exports at once keep the agent within its memory, and others do not wait for them', async () => {
  const large = 'SELECT md5(g::text), md5((g * 7)::text), g FROM generate_series(1, 250000) AS g';
  const settings = { export: { file_limit: '6GiB', memory: '24MiB', part_size: '5MiB' } };
  await testStack.withAgentOf(settings, async () => {
    const before = await residentBytes();
    const callers = await Promise.all(Array.from({ length: 8 }, () => testStack.connect()));
    const load = { running: callers.length };
    let most = 0;
    const exports = callers.map(async (session, i) => {
      try {
        return await exportQuery(session, large, `eight/${i}`, 'compression gzip, compression_level 9');
      } finally {
        load.running--;
        await session.end();
      }
    });
    let small = 0;
    while (load.running > 0) {
      await exportQuery(superuser, 'SELECT 1', 'eight-small');
      if (load.running > 0) small++;
      most = Math.max(most, await residentBytes());
    }
    for (const answer of await Promise.all(exports)) expect(answer.rows).toBe(250_000);
    expect((await contentOf('eight/0')).toString().startsWith('c4ca4238a0b923820dcc509a6f75849b\t')).toBe(
      true,
    );
    // They take a second or more for each of their files: had the small ones waited, few would have passed.
    expect(small).toBeGreaterThan(5);
    // 24 MiB or a part for each, threads, and what V8 collects later.
    expect(most - before).toBeLessThan(200e6);
  });
});

async function residentBytes(): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(testStack.stack.agent.pid)]);
  const bytes = Number(stdout) * 1024;
  expect(bytes).toBeGreaterThan(0);
  return bytes;
}

it.skipIf(hasZstd())('says which Node.js zstd needs', async () => {
  for (const session of [superuser, ordinary]) {
    await expect(exportQuery(session, 'SELECT 1', 'k', 'compression zstd')).rejects.toMatchObject({
      code: '0A000',
      message: 'zstd compression needs Node.js 22.15 or newer',
      detail: `Sluice runs on Node.js ${process.version.slice(1)}.`,
      hint: 'Compress with gzip, or run Sluice on a newer Node.js.',
    });
  }
});
