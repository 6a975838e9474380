import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BufferMemory } from '../../src/exporter/buffer-memory.ts';
import { sendToS3 } from '../../src/exporter/export-to-s3.ts';
import type { ExportRequest } from '../../src/exporter/export-request.ts';
import { MIB } from '../../src/exporter/part-size.ts';
import { publishFiles, undoFiles } from '../../src/exporter/publish.ts';
import { PublishedKeys } from '../../src/exporter/published-keys.ts';
import { SentFile, type SentFileData } from '../../src/exporter/sent-file.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { BUCKET, type S3Fixture, startS3Fixture } from './s3-fixture.ts';
import { bytesSource, textOf, textSource } from './sources.ts';

const SMALL = 1_000;
const LARGE = 11 * MIB;
const PUBLISH = { journal: undefined, confirm: undefined, signal: undefined, undoTimeoutMs: 5_000, lanes: 4 };

let s3: S3Fixture;
let proxy: FaultProxy;
beforeEach(async () => {
  s3 = await startS3Fixture();
  proxy = await startFaultProxy(s3.endpoint);
});
afterEach(async () => {
  const open = await s3.listOpenUploads();
  await s3.close();
  await proxy.close();
  assert.deepEqual(open, [], 'no multipart upload is left open');
});

function send(
  key: string,
  request: Partial<ExportRequest> = {},
): Promise<{ files: SentFileData[]; sourceBytes: number }> {
  return sendToS3({
    source: textSource(LARGE),
    connection: s3.connect({ endpoint: proxy.endpoint, maxAttempts: 2, requestTimeoutMs: 2_000 }),
    bucket: BUCKET,
    key,
    rowFormat: { format: 'text', header: false },
    partSizeBytes: 5 * MIB,
    contentType: 'text/csv',
    ...request,
  });
}

/** What another process would make of it. */
function received(files: readonly SentFileData[]): SentFile[] {
  const context = {
    connection: s3.connect({ endpoint: proxy.endpoint, maxAttempts: 2, requestTimeoutMs: 2_000 }),
    bucket: BUCKET,
    settings: { contentType: 'text/csv' },
    journal: undefined,
    keys: new PublishedKeys(),
  };
  return files.map((data) => new SentFile(JSON.parse(JSON.stringify(data)) as SentFileData, context));
}

describe('files that were sent', () => {
  it.each([0, 1, SMALL, LARGE])(
    'become objects when somebody else publishes them (%i bytes)',
    async (bytes) => {
      const { files } = await send('rows', { source: textSource(bytes) });
      expect(await s3.listKeys()).toEqual([]);
      expect(await s3.listOpenUploads()).toHaveLength(bytes === 0 ? 0 : 1);
      const published = await publishFiles(received(files), PUBLISH);
      expect(published).toMatchObject([{ key: 'rows', bytes: textOf(bytes).length }]);
      expect((await s3.read('rows')).equals(textOf(bytes))).toBe(true);
      expect((await s3.head('rows')).contentType).toBe('text/csv');
    },
  );

  it('hold no memory', async () => {
    const memory = new BufferMemory();
    const sent = await Promise.all(
      [0, 1, SMALL].map((bytes) => send(`f${bytes}`, { source: textSource(bytes), memory })),
    );
    expect(memory.lentBytes).toBe(0);
    await undoFiles(received(sent.flatMap(({ files }) => files)), new Error('no'), PUBLISH);
    expect(await s3.listKeys()).toEqual([]);
  });

  it('are all published, the first one last', async () => {
    const sent = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((key) => send(key, { source: textSource(SMALL) })),
    );
    await publishFiles(received(sent.flatMap(({ files }) => files)), PUBLISH);
    const completed = proxy.seen.filter((line) => /^POST .*uploadId=/.test(line));
    expect(completed).toHaveLength(5);
    expect(completed.at(-1)).toMatch(/\/a\?/);
  });

  it('are all taken back when one cannot be published, or what follows fails', async () => {
    const keys = ['a', 'b', 'c', 'd'];
    const all = async () =>
      received(
        (await Promise.all(keys.map((key) => send(key, { source: textSource(SMALL) })))).flatMap(
          ({ files }) => files,
        ),
      );
    proxy.inject(/^POST .*\/b\?uploadId=/, { do: 'answer', status: 403, code: 'AccessDenied' }, 1);
    await expect(publishFiles(await all(), PUBLISH)).rejects.toThrow('could not upload to Amazon S3');
    expect(await s3.listKeys()).toEqual([]);
    const confirm = () => Promise.reject(new Error('no manifest'));
    await expect(publishFiles(await all(), { ...PUBLISH, confirm })).rejects.toThrow('no manifest');
    expect(await s3.listKeys()).toEqual([]);
  });

  it('leave nothing when their source fails', async () => {
    async function* failing(): AsyncGenerator<Uint8Array, void, void> {
      yield* bytesSource([Buffer.alloc(6 * MIB, 'row\n')]);
      throw new Error('no');
    }
    await expect(send('rows', { source: failing() })).rejects.toThrow('no');
  });
});
