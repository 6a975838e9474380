import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CompressionFormat } from '../../src/compression/compression.ts';
import { hasZstd } from '../../src/compression/zstd-stream.ts';
import { BufferMemory } from '../../src/exporter/buffer-memory.ts';
import type { ExportResult } from '../../src/exporter/export-request.ts';
import { MIB } from '../../src/exporter/part-size.ts';
import { arbitraryChunkSizes, arbitraryStream } from './arbitrary-rows.ts';
import { chunksOf } from './copy-streams.ts';
import { exportRows, s3ForEachTest, type S3Fixture } from './s3-fixture.ts';
import { bytesSource, eventually, SilentSource, textOf, textSource } from './sources.ts';

const PART = 5 * MIB;
const FORMATS: readonly CompressionFormat[] = hasZstd() ? ['gzip', 'zstd'] : ['gzip'];
if (!hasZstd())
  console.warn(`zstd is left out: Node.js ${process.version} has none (npm run test:node -- 22 24)`);

let s3: S3Fixture;
s3ForEachTest((fixture) => (s3 = fixture));

const run = (request: Parameters<typeof exportRows>[1]): Promise<ExportResult> => exportRows(s3, request);

/** What a file holds. Whatever stands behind its one gzip member or zstd frame is an error. */
async function decompressed(format: CompressionFormat, file: Buffer): Promise<Buffer> {
  if (format === 'gzip') return promisify(zlib.gunzip)(file);
  const decompress: unknown = 'zstdDecompress' in zlib ? zlib.zstdDecompress : undefined;
  assert.ok(typeof decompress === 'function');
  return promisify(decompress as typeof zlib.gunzip)(file);
}

async function readAll(format: CompressionFormat, { files }: ExportResult): Promise<Buffer[]> {
  return Promise.all(files.map(async ({ key }) => decompressed(format, await s3.read(key))));
}

describe.each(FORMATS)('an export with compression %s', (compression) => {
  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['one byte', Buffer.from('\n')],
    ['a row', Buffer.from('1\tone\n')],
    ['text of exactly one piece', textOf(512 * 1024, 64)],
    ['text of many pieces', textOf(20 * MIB)],
    ['bytes that cannot be compressed', randomBytes(11 * MIB)],
  ])('stores %s as a file that decompresses to it', async (_, bytes) => {
    const result = await run({ source: bytesSource(chunksOf(bytes, [65_536])), compression });
    expect(result.files).toHaveLength(1);
    const [content] = await readAll(compression, result);
    expect(content?.equals(bytes)).toBe(true);
    expect(result.bytes).toBe((await s3.read('rows')).length);
    expect(result.files[0]?.bytes).toBe(result.bytes);
  });

  it('makes text smaller, and smaller still at the highest level', async () => {
    const rows = Array.from({ length: 60_000 }, (_, index) => {
      const mixed = Math.imul(index, 2_654_435_761) >>> 0;
      return `${index}\torder ${mixed % 97}\t${['north', 'south', 'east'][mixed % 3]}\t${mixed % 10_007}\n`;
    });
    const bytes = Buffer.from(rows.join(''));
    const sizes: number[] = [];
    for (const compressionLevel of [1, 9]) {
      sizes.push((await run({ source: bytesSource([bytes]), compression, compressionLevel })).bytes);
    }
    const [fast = 0, small = 0] = sizes;
    expect(fast).toBeLessThan(bytes.length / 2);
    expect(small).toBeLessThan(fast);
  });

  it('cuts files between rows by the bytes of the rows, each a whole file of its own, whatever the format', async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryStream,
        arbitraryChunkSizes,
        fc.integer({ min: 1, max: 400 }),
        async ({ rowFormat, bytes, rowStarts }, sizes, fileLimitBytes) => {
          const plain = await run({
            source: bytesSource(chunksOf(bytes, sizes)),
            rowFormat,
            fileLimitBytes,
            key: 'plain',
          });
          const result = await run({
            source: bytesSource(chunksOf(bytes, sizes)),
            rowFormat,
            fileLimitBytes,
            compression,
          });
          const contents = await readAll(compression, result);
          expect(contents.map(({ length }) => length)).toEqual(plain.files.map((file) => file.bytes));
          expect(Buffer.concat(contents).equals(bytes)).toBe(true);
          let offset = 0;
          const starts = contents.map(({ length }) => (offset += length) - length);
          expect(rowStarts).toEqual(expect.arrayContaining(starts.slice(1)));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('cuts large files, whose end is taken back into the next', async () => {
    const rowBytes = 900_001;
    const total = 40 * rowBytes;
    const result = await run({
      source: textSource(total, rowBytes),
      fileLimitBytes: 3 * PART - 10,
      compression,
    });
    const contents = await readAll(compression, result);
    expect(contents.map(({ length }) => length / rowBytes)).toEqual([17, 17, 6]);
    expect(Buffer.concat(contents).equals(textOf(total, rowBytes))).toBe(true);
  });

  it('says the encoding that it is told to, for objects of one request and of parts, and none by itself', async () => {
    for (const source of [
      () => textSource(100),
      () => bytesSource(chunksOf(randomBytes(6 * MIB), [65_536])),
    ]) {
      await run({ source: source(), compression, contentEncoding: compression, contentType: 'text/csv' });
      expect(await s3.head('rows')).toMatchObject({
        contentEncoding: compression,
        contentType: 'text/csv',
      });
      await run({ source: source(), compression });
      expect(await s3.head('rows')).toMatchObject({ contentEncoding: undefined });
    }
    expect(s3.operations()).toContain('CompleteMultipartUpload');
  });

  it.each(['while it reads', 'between files'])(
    'leaves nothing and gives all memory back when its source fails %s',
    async (when) => {
      const memory = new BufferMemory();
      const reason = new Error('division by zero');
      async function* source(): AsyncGenerator<Uint8Array, void, void> {
        yield* textSource(13 * MIB);
        throw reason;
      }
      const running = run({
        source: source(),
        compression,
        memory,
        ...(when === 'between files' ? { fileLimitBytes: MIB } : {}),
      });
      await expect(running).rejects.toBe(reason);
      expect(memory.lentBytes).toBe(0);
      expect(await s3.listKeys()).toEqual([]);
    },
  );

  it('leaves nothing when it is aborted while pieces are being compressed', async () => {
    const memory = new BufferMemory();
    const controller = new AbortController();
    const reason = new Error('the backend has gone');
    const source = new SilentSource(9 * MIB);
    const running = run({ source, compression, memory, signal: controller.signal });
    await eventually(() => memory.lentBytes > 0);
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(source.returned).toBe(true);
    expect(memory.lentBytes).toBe(0);
    expect(await s3.listKeys()).toEqual([]);
  });

  it('leaves nothing when S3 refuses a part', async () => {
    const memory = new BufferMemory();
    s3.denied.add('s3:PutObject');
    const source = bytesSource(chunksOf(randomBytes(16 * MIB), [65_536]));
    await expect(run({ source, compression, memory })).rejects.toMatchObject({ code: 'upload_failed' });
    expect(memory.lentBytes).toBe(0);
    expect(await s3.listKeys()).toEqual([]);
  });

  it('shares a small memory between many exports without a deadlock', async () => {
    const memory = new BufferMemory({ limitBytes: 8 * MIB });
    const bytes = randomBytes(11 * MIB);
    let most = 0;
    const exports = Array.from({ length: 8 }, (_, index) =>
      run({
        source: bytesSource(chunksOf(bytes, [65_536])),
        key: `rows-${index}`,
        memory,
        compression,
        onProgress: () => (most = Math.max(most, memory.lentBytes)),
      }),
    );
    for (const result of await Promise.all(exports)) {
      const [content] = await readAll(compression, result);
      expect(content?.equals(bytes)).toBe(true);
    }
    expect(memory.lentBytes).toBe(0);
    // The limit, or a part, a piece and a zstd stream for each.
    expect(most).toBeLessThanOrEqual(8 * (PART + MIB + 4 * MIB));
  });
});

it('gzip itself finds a file whole', async () => {
  await run({ source: textSource(7 * MIB), compression: 'gzip' });
  const file = await s3.read('rows');
  const { status, error, stderr } = spawnSync('gzip', ['--test', '--verbose'], {
    input: file,
    encoding: 'utf8',
  });
  expect(error).toBeUndefined();
  expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining('OK') as string });
});

it.each([
  [{ compression: 'bzip2' as 'gzip' }, 'compression "bzip2" not recognized'],
  [{ compression: 'gzip', compressionLevel: 10 }, 'compression level 10 is out of range'],
  [{ compression: 'gzip', compressionLevel: 1.5 }, 'compression level 1.5 is out of range'],
  [{ compressionLevel: 6 }, 'a compression level needs a compression'],
  [{ contentEncoding: 'gzip\r\nx-amz-acl: public-read' }, 'invalid content encoding'],
] as const)('refuses %j before it reads or sends anything', async (request, message) => {
  const source = new SilentSource(10);
  await expect(run({ source, ...request })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining(message) as string,
  });
  expect(source.returned).toBe(true);
  expect(s3.requests).toEqual([]);
});

it.skipIf(hasZstd())('says which Node.js zstd needs', async () => {
  await expect(run({ source: textSource(10), compression: 'zstd' })).rejects.toMatchObject({
    code: 'not_supported',
    message: 'zstd compression needs Node.js 22.15 or newer',
  });
});
