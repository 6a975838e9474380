import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExportRequest, ExportResult } from '../../src/exporter/export-request.ts';
import { exportToS3 } from '../../src/exporter/export-to-s3.ts';
import { MIB } from '../../src/exporter/part-size.ts';
import { PublishedKeys } from '../../src/exporter/published-keys.ts';
import { isSluiceError, SluiceError } from '../../src/errors.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { BUCKET, type S3Fixture, startS3Fixture } from './s3-fixture.ts';
import { bytesSource, eventually, textOf, textSource } from './sources.ts';

const PUT_OBJECT = /^PUT (?!.*partNumber)/;
const COMPLETE = /^POST .*uploadId=/;
const COMPLETE_FIRST_FILE = /^POST .*rows\?.*uploadId=/;
const LARGE = 11 * MIB;
const SMALL = 1_000;

let s3: S3Fixture;
let proxy: FaultProxy;
let mayStayOpen: boolean;
let publishedKeys: PublishedKeys;

beforeEach(async () => {
  mayStayOpen = false;
  publishedKeys = new PublishedKeys();
  s3 = await startS3Fixture();
  proxy = await startFaultProxy(s3.endpoint);
});
afterEach(async () => {
  const open = await s3.listOpenUploads();
  await s3.close();
  await proxy.close();
  assert.deepEqual(open, mayStayOpen ? ['rows'] : [], 'no multipart upload is left open');
});

function run(request: Partial<ExportRequest> = {}): Promise<ExportResult> {
  return exportToS3({
    source: textSource(LARGE),
    connection: s3.connect({ endpoint: proxy.endpoint, requestTimeoutMs: 10_000 }),
    bucket: BUCKET,
    key: 'rows',
    rowFormat: { format: 'text', header: false },
    partSizeBytes: 5 * MIB,
    publishedKeys,
    ...request,
  });
}

async function hintOf(running: Promise<unknown>): Promise<string | undefined> {
  const [result] = await Promise.allSettled([running]);
  if (result.status === 'rejected' && isSluiceError(result.reason)) return result.reason.hint;
  throw new Error('the export did not fail with an error of ours', { cause: result });
}

/** Makes the proxy hold a request back until it is released. */
function hold(matches: RegExp): { release: () => void; came: () => Promise<void> } {
  let release = (): void => undefined;
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  const seenBefore = proxy.seen.length;
  proxy.inject(matches, { do: 'hold', until }, 1);
  return {
    release: () => release(),
    came: () => eventually(() => proxy.seen.slice(seenBefore).some((line) => matches.test(line))),
  };
}

/** Starts an export that is aborted later. */
function runAborted(request: Partial<ExportRequest>): Promise<ExportResult> {
  const running = run(request);
  running.catch(() => undefined);
  return running;
}

describe('an export that is aborted while it publishes', () => {
  it.each([
    ['PutObject', PUT_OBJECT, SMALL],
    ['CompleteMultipartUpload', COMPLETE, LARGE],
  ] as const)('%s: makes no further attempt, and nothing appears later', async (_, matches, bytes) => {
    const held = hold(matches);
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const running = runAborted({ source: textSource(bytes), signal: controller.signal });
    await held.came();
    controller.abort(reason);
    // The request reaches S3 only now, after the object was looked for the first time.
    setTimeout(held.release, 300);
    await expect(running).rejects.toBe(reason);
    expect(proxy.seen.filter((line) => matches.test(line))).toHaveLength(1);
    expect(await s3.listKeys()).toEqual([]);
  });

  it.each([
    ['PutObject', PUT_OBJECT, SMALL],
    ['CompleteMultipartUpload', COMPLETE, LARGE],
  ] as const)('%s: what S3 had done already is removed again', async (_, matches, bytes) => {
    proxy.inject(matches, { do: 'swallow-answer', instead: 'nothing' });
    const controller = new AbortController();
    const running = runAborted({ source: textSource(bytes), signal: controller.signal });
    await eventually(async () => (await s3.listKeys()).length === 1);
    controller.abort(new SluiceError('export_aborted', 'the export was aborted'));
    expect(await hintOf(running)).toBe('What had been published of it was removed again: nothing was left.');
    expect(await s3.listKeys()).toEqual([]);
  });

  it.each([SMALL, LARGE])("leaves a second export's object of the same content (%i bytes)", async (bytes) => {
    const held = hold(bytes === SMALL ? PUT_OBJECT : COMPLETE);
    const controller = new AbortController();
    const running = runAborted({ source: textSource(bytes), signal: controller.signal });
    await held.came();
    controller.abort(new Error('cancelled'));
    await run({ source: textSource(bytes) });
    held.release();
    await expect(running).rejects.toThrow('cancelled');
    expect((await s3.read('rows')).equals(textOf(bytes))).toBe(true);
  });

  it("leaves a second export's object of another content", async () => {
    const held = hold(PUT_OBJECT);
    const controller = new AbortController();
    const running = runAborted({ source: textSource(SMALL), signal: controller.signal });
    await held.came();
    controller.abort(new Error('cancelled'));
    await run({ source: textSource(2 * SMALL) });
    await expect(running).rejects.toThrow('cancelled');
    held.release();
    expect((await s3.read('rows')).equals(textOf(2 * SMALL))).toBe(true);
  });

  it('cannot replace the object of a second export with a request that S3 carries out late', async () => {
    const held = hold(PUT_OBJECT);
    const controller = new AbortController();
    const running = runAborted({ source: textSource(SMALL), signal: controller.signal });
    await held.came();
    controller.abort(new Error('cancelled'));
    setTimeout(held.release, 500);
    await run({ source: textSource(2 * SMALL) });
    await expect(running).rejects.toThrow('cancelled');
    await delay(1_000);
    expect((await s3.read('rows')).equals(textOf(2 * SMALL))).toBe(true);
  });

  it('leaves an older object of the same content', async () => {
    await run({ source: textSource(SMALL) });
    // As in another process, and after longer than the inexactness of S3's clock.
    publishedKeys = new PublishedKeys();
    await delay(3_500);
    proxy.inject(PUT_OBJECT, { do: 'reset' });
    const failing = run({
      source: textSource(SMALL),
      connection: s3.connect({ endpoint: proxy.endpoint, maxAttempts: 1, requestTimeoutMs: 1_000 }),
    });
    await expect(failing).rejects.toThrow('could not upload');
    expect(await s3.listKeys()).toEqual(['rows']);
  });

  it('says what could not be looked at', async () => {
    s3.denied.add('s3:GetObject');
    const held = hold(PUT_OBJECT);
    const controller = new AbortController();
    const running = runAborted({ source: textSource(SMALL), signal: controller.signal });
    await held.came();
    controller.abort(new SluiceError('export_aborted', 'the export was aborted'));
    expect(await hintOf(running)).toBe(
      `Whether s3://${BUCKET}/rows was stored is not known: that needs s3:GetObject.`,
    );
    held.release();
  });

  it('removes everything when the caller is gone before it is told', async () => {
    const controller = new AbortController();
    const confirm = (): Promise<never> => {
      controller.abort(new Error('gone'));
      return Promise.reject(new Error('gone'));
    };
    const running = runAborted({ fileLimitBytes: 5 * MIB, confirm, signal: controller.signal });
    await expect(running).rejects.toThrow('gone');
    expect(await s3.listKeys()).toEqual([]);
  });
});

describe('an export of several files whose last publish fails', () => {
  const failure = { do: 'answer', status: 403, code: 'AccessDenied' } as const;

  it('removes those that were published', async () => {
    proxy.inject(COMPLETE_FIRST_FILE, failure);
    const hint = await hintOf(run({ fileLimitBytes: 5 * MIB }));
    expect(hint).toContain('What had been published of it was removed again: nothing was left.');
    expect(await s3.listKeys()).toEqual([]);
  });

  it('deletes the version that it stored, in a bucket with versions', async () => {
    proxy.inject(COMPLETE_FIRST_FILE, failure);
    const headers = { etag: '"etag"', 'x-amz-version-id': 'version/1' };
    proxy.inject(/^PUT .*rows_part2$/, { do: 'answer', status: 200, headers, body: '' });
    await hintOf(run({ source: textSource(6 * MIB), fileLimitBytes: 5 * MIB + 1_000 }));
    const deletes = proxy.seen.filter((line) => line.startsWith('DELETE') && line.includes('rows_part2'));
    expect(deletes).toEqual([expect.stringContaining('versionId=version%2F1')]);
  });

  it('does not remove a newer object', async () => {
    const held = hold(COMPLETE_FIRST_FILE);
    const failing = runAborted({
      fileLimitBytes: 5 * MIB,
      connection: s3.connect({ endpoint: proxy.endpoint, maxAttempts: 1, requestTimeoutMs: 1_000 }),
    });
    await held.came();
    await run({ key: 'rows_part2', source: bytesSource([Buffer.from('newer\n')]) });
    const hint = await hintOf(failing);
    expect(hint).toContain(
      `At s3://${BUCKET}/rows_part2 another object is stored by now, which was left there.`,
    );
    expect(hint).not.toContain('nothing was left');
    held.release();
    expect(await s3.listKeys()).toEqual(['rows_part2']);
    expect(await s3.read('rows_part2')).toEqual(Buffer.from('newer\n'));
  });

  it.each([
    ['NotImplemented', 501],
    ['InvalidArgument', 400],
  ])('leaves them in a store without conditional deletes: %s', async (code, status) => {
    proxy.inject(COMPLETE_FIRST_FILE, failure);
    proxy.inject(/^DELETE (?!.*uploadId)/, { do: 'answer', status, code });
    const hint = await hintOf(run({ fileLimitBytes: 5 * MIB }));
    expect(hint).toContain(
      `Already published, and left as they are: s3://${BUCKET}/rows_part2, s3://${BUCKET}/rows_part3.`,
    );
    expect(hint).not.toContain('s3:DeleteObject');
    expect(await s3.listKeys()).toEqual(['rows_part2', 'rows_part3']);
  });
});
