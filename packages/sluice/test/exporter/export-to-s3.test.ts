import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { BufferMemory } from '../../src/exporter/buffer-memory.ts';
import type { ExportResult } from '../../src/exporter/export-request.ts';
import { MIB } from '../../src/exporter/part-size.ts';
import type { RowFormat } from '../../src/exporter/row-format.ts';
import type { MultipartUpload } from '../../src/s3/multipart-upload.ts';
import { chunksOf, copyStream, type Field } from './copy-streams.ts';
import { BUCKET, exportRows, s3ForEachTest, type S3Fixture } from './s3-fixture.ts';
import { bytesSource, eventually, SilentSource, textOf, textSource } from './sources.ts';

const PART = 5 * MIB;
const TEXT: RowFormat = { format: 'text', header: false };

let s3: S3Fixture;
s3ForEachTest((fixture) => (s3 = fixture));

const run = (request: Parameters<typeof exportRows>[1]): Promise<ExportResult> => exportRows(s3, request);

/** Rows that contain quotes and newlines, in the given format. */
function someRows(rowFormat: RowFormat, count: number): ReturnType<typeof copyStream> {
  const text = (value: string): Field => Array.from(value, (character) => Buffer.from(character));
  const rows = Array.from({ length: count }, (_, index) => [
    text(String(index)),
    text(`line one\nline "two" of ${'x'.repeat(index % 50)}`),
    index % 3 === 0 ? null : text("it's | \\ ü"),
  ]);
  return copyStream(rowFormat, rows);
}

describe('exportToS3', () => {
  it('makes one empty object of no bytes', async () => {
    const result = await run({ source: bytesSource([]), contentType: 'text/plain' });
    expect(result).toMatchObject({ bytes: 0, files: [{ bucket: BUCKET, key: 'rows', bytes: 0, parts: 1 }] });
    expect(await s3.listKeys()).toEqual(['rows']);
    expect(await s3.head('rows')).toMatchObject({ contentType: 'text/plain' });
  });

  it('stores up to one part with a single request', async () => {
    const result = await run({
      source: textSource(PART, 64),
      rowFormat: TEXT,
      contentType: 'text/csv; charset=utf-8',
    });
    expect(result.files).toMatchObject([{ bytes: PART, parts: 1 }]);
    expect(s3.operations()).toEqual(['PutObject']);
    expect(await s3.head('rows')).toMatchObject({ contentType: 'text/csv; charset=utf-8' });
    expect((await s3.read('rows')).equals(textOf(PART, 64))).toBe(true);
  });

  it.each(['crc32', 'none'] as const)(
    'stores more as a multipart upload, with checksums: %s',
    async (checksums) => {
      const bytes = 12 * MIB;
      const result = await run({
        source: textSource(bytes),
        connection: s3.connect({ checksums }),
        contentType: 'text/csv',
      });
      expect(s3.operations().toSorted()).toEqual(
        [
          'CompleteMultipartUpload',
          'CreateMultipartUpload',
          'UploadPart',
          'UploadPart',
          'UploadPart',
        ].toSorted(),
      );
      const expected = textOf(bytes);
      expect(result).toMatchObject({ bytes: expected.length, files: [{ bytes: expected.length, parts: 3 }] });
      expect((await s3.read('rows')).equals(expected)).toBe(true);
      expect(await s3.head('rows')).toMatchObject({ contentType: 'text/csv' });
    },
  );

  it.each([
    'plain',
    'with space',
    'plus+percent%20and%',
    'ünï/cødé/漢字/😀',
    'a//b///c',
    'a/../b/./c/..',
    'quotes\'"`*()!~',
    'query?x=1&y#fragment',
    'back\\slash',
    'new\r\nline\t\u0001',
  ])('stores under the key as it is given: %j', async (key) => {
    await run({ source: textSource(1000), key });
    await run({ source: textSource(6 * MIB), key: `${key}-large` });
    expect((await s3.read(key)).length).toBe(1000);
    expect(s3.operations()).toContain('CompleteMultipartUpload');
    expect((await s3.read(`${key}-large`)).length).toBeGreaterThan(6 * MIB - 1);
  });

  it.each([
    { format: 'text', header: true },
    { format: 'csv', header: true, quote: '"', escape: '"', encoding: 'UTF8' },
    { format: 'csv', header: false, quote: "'", escape: '\\', encoding: 'UTF8' },
    { format: 'binary' },
  ] satisfies RowFormat[])('cuts files between rows: %j', async (rowFormat) => {
    const { bytes, rowStarts } = someRows(rowFormat, 300);
    const source = bytesSource(chunksOf(bytes, [1, 700, 3, 4096]));
    const result = await run({ source, rowFormat, fileLimitBytes: 4000, key: 'out.dat' });
    expect(result.files.length).toBeGreaterThan(3);
    expect(result.files.map(({ key }) => key)).toEqual(
      result.files.map((_, index) => (index === 0 ? 'out.dat' : `out.dat_part${index + 1}`)),
    );
    const contents = await Promise.all(result.files.map(({ key }) => s3.read(key)));
    expect(Buffer.concat(contents).equals(bytes)).toBe(true);
    let offset = 0;
    const starts = contents.map(({ length }) => (offset += length) - length);
    expect(rowStarts).toEqual(expect.arrayContaining(starts.slice(1)));
    // The binary trailer may lie above the limit.
    expect(Math.max(...contents.map(({ length }) => length))).toBeLessThanOrEqual(4000 + 2);
  });

  it('cuts a file of many parts, and moves what lies behind the cut to the next', async () => {
    const rowBytes = 900_001;
    const total = 40 * rowBytes;
    const result = await run({ source: textSource(total, rowBytes), fileLimitBytes: 3 * PART - 10 });
    expect(result.files.map(({ bytes }) => bytes % rowBytes)).toEqual(result.files.map(() => 0));
    expect(result.files.map(({ bytes }) => bytes / rowBytes)).toEqual([17, 17, 6]);
    const contents = await Promise.all(result.files.map(({ key }) => s3.read(key)));
    expect(Buffer.concat(contents).equals(textOf(total, rowBytes))).toBe(true);
  });

  it('publishes the last file first and the plain key last, and nothing before the source has ended', async () => {
    const seenBeforeEnd: string[][] = [];
    async function* source(): AsyncGenerator<Uint8Array, void, void> {
      yield* textSource(11 * MIB);
      await eventually(() => s3.operations().filter((name) => name === 'UploadPart').length >= 2);
      seenBeforeEnd.push(await s3.listKeys());
    }
    const result = await run({ source: source(), fileLimitBytes: 6 * MIB });
    expect(seenBeforeEnd).toEqual([[]]);
    expect(result.files.length).toBe(2);
    const published = s3.requests
      .filter(({ operation = '' }) => /^(?:PutObject|CompleteMultipartUpload)$/.test(operation))
      .map(({ path }) => path);
    expect(published).toEqual([`/${BUCKET}/rows_part2`, `/${BUCKET}/rows`]);
  });

  it('asks for encryption with a KMS key, for objects of one request and of parts', async () => {
    const kmsKeyId = 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd';
    for (const bytes of [100, 6 * MIB]) {
      await run({ source: textSource(bytes), kmsKeyId });
      expect(await s3.head('rows')).toMatchObject({ encryption: 'aws:kms', kmsKeyId });
    }
  });

  it('rethrows the error of the source as it is, and leaves nothing', async () => {
    const reason = new Error('division by zero');
    async function* source(): AsyncGenerator<Uint8Array, void, void> {
      yield* textSource(13 * MIB);
      throw reason;
    }
    await expect(run({ source: source(), fileLimitBytes: 6 * MIB })).rejects.toBe(reason);
    expect(await s3.listKeys()).toEqual([]);
  });

  it('rethrows the reason of the signal while the source is silent, and leaves nothing', async () => {
    const source = new SilentSource(13 * MIB);
    const controller = new AbortController();
    const reason = new Error('the backend has gone');
    const running = run({ source, signal: controller.signal });
    await eventually(() => s3.operations().includes('UploadPart'));
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(source.returned).toBe(true);
    expect(await s3.listKeys()).toEqual([]);
  });

  it('refuses arguments before it reads or sends anything, and lets go of the source', async () => {
    const source = new SilentSource(10);
    for (const request of [
      { bucket: 'Not_A_Bucket' },
      { key: '' },
      { kmsKeyId: 'a\r\nx-amz-acl: public-read' },
      { contentType: 'text/csv\n' },
      { fileLimitBytes: 0 },
      { partSizeBytes: 1024 },
      { partsInFlight: 0 },
    ]) {
      source.returned = false;
      await expect(run({ source, ...request })).rejects.toMatchObject({ code: 'invalid_argument' });
      expect(source.returned).toBe(true);
    }
    expect(s3.requests).toEqual([]);
  });

  it('tells the journal of each multipart upload before its first part and after its end', async () => {
    const events: string[] = [];
    const journal = {
      opening: ({ key }: { key: string }) => ({
        opened: () => {
          events.push(
            `opened ${key} after ${s3.operations().filter((name) => name === 'UploadPart').length}`,
          );
        },
        refused: () => undefined,
        lost: () => undefined,
      }),
      closed: ({ key }: MultipartUpload) => {
        events.push(`closed ${key}`);
      },
    };
    await run({ source: textSource(6 * MIB), journal });
    expect(events).toEqual(['opened rows after 0', 'closed rows']);
    events.length = 0;
    const failing = run({
      source: (async function* () {
        yield* textSource(6 * MIB);
        throw new Error('no');
      })(),
      journal,
    });
    await expect(failing).rejects.toThrow('no');
    expect(events.at(-1)).toBe('closed rows');
  });

  it('aborts the upload that the journal could not note', async () => {
    const opened = (): Promise<never> => Promise.reject(new Error('disk full'));
    const journal = { opening: () => ({ opened, refused: () => undefined, lost: () => undefined }) };
    await expect(run({ source: textSource(6 * MIB), journal })).rejects.toThrow('disk full');
    expect(s3.operations()).toContain('AbortMultipartUpload');
  });

  it('publishes nothing that the journal could not note, nor what it would take for failed', async () => {
    const full = (): Promise<never> => Promise.reject(new Error('disk full'));
    await expect(run({ source: textSource(10), journal: { publishing: full } })).rejects.toThrow('disk full');
    expect(s3.operations()).toEqual([]);
    await expect(run({ source: textSource(10), journal: { settled: full } })).rejects.toThrow('disk full');
    expect(await s3.listKeys()).toEqual([]);
    await run({ source: textSource(10), journal: { published: full } });
    expect(await s3.listKeys()).toEqual(['rows']);
  });

  it('does not fail because the journal could not note an end', async () => {
    const journal = { closed: () => Promise.reject(new Error('disk full')) };
    await run({ source: textSource(6 * MIB), journal });
    expect(await s3.listKeys()).toEqual(['rows']);
  });

  it('shares a small memory between many exports without a deadlock', async () => {
    const memory = new BufferMemory({ limitBytes: 8 * MIB });
    let most = 0;
    const exports = Array.from({ length: 6 }, (_, index) =>
      run({
        source: textSource(11 * MIB),
        key: `rows-${index}`,
        memory,
        onProgress: () => (most = Math.max(most, memory.lentBytes)),
      }),
    );
    await Promise.all(exports);
    expect(memory.lentBytes).toBe(0);
    // At most the memory limit, or one part for each export.
    expect(most).toBeLessThanOrEqual(6 * PART + MIB);
    expect(await s3.listKeys()).toHaveLength(6);
  });

  it('goes on while another export keeps all of the memory and does nothing', async () => {
    const memory = new BufferMemory({ limitBytes: 4 * MIB });
    const controller = new AbortController();
    const silent = run({
      source: new SilentSource(4.5 * MIB),
      key: 'silent',
      memory,
      signal: controller.signal,
    });
    await eventually(() => memory.lentBytes > 4 * MIB);
    await run({ source: textSource(21 * MIB), memory, partsInFlight: 2 });
    controller.abort();
    await expect(silent).rejects.toThrow('aborted');
    expect(await s3.listKeys()).toEqual(['rows']);
  });

  it('takes little memory for a small export, and gives all back after a failure', async () => {
    const memory = new BufferMemory();
    const sources = Array.from({ length: 20 }, () => new SilentSource(1000));
    const controller = new AbortController();
    setMaxListeners(sources.length, controller.signal);
    const exports = sources.map((source, index) =>
      run({ source, key: `small-${index}`, memory, signal: controller.signal }),
    );
    await eventually(() => memory.lentBytes > 0);
    expect(memory.lentBytes).toBeLessThanOrEqual(20 * 64 * 1024);
    controller.abort();
    await Promise.allSettled(exports);
    expect(memory.lentBytes).toBe(0);
  });

  it('reports progress that ends with all bytes', async () => {
    const seen: number[] = [];
    const { bytes } = await run({
      source: textSource(11 * MIB),
      onProgress: ({ bytesStored }) => seen.push(bytesStored),
    });
    expect(seen.at(-1)).toBe(bytes);
    expect(seen.toSorted((a, b) => a - b)).toEqual(seen);
  });
});
