import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExportRequest, ExportResult } from '../../src/exporter/export-request.ts';
import { exportToS3 } from '../../src/exporter/export-to-s3.ts';
import { MIB } from '../../src/exporter/part-size.ts';
import type { S3Connection, S3ConnectionOptions } from '../../src/s3/connection.ts';
import { headObject } from '../../src/s3/stored-object.ts';
import { UploadError } from '../../src/s3/upload-error.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { BUCKET, REGION, type S3Fixture, startS3Fixture } from './s3-fixture.ts';
import { eventually, SilentSource, textOf, textSource } from './sources.ts';

const PUT_OBJECT = /^PUT (?!.*partNumber)/;
const UPLOAD_PART = /^PUT .*partNumber/;
const CREATE = /^POST .*\?uploads/;
const COMPLETE = /^POST .*uploadId=/;
const ABORT = /^DELETE .*uploadId=/;

/** More than two parts of 5 MiB. */
const LARGE = 11 * MIB;

let s3: S3Fixture;
let proxy: FaultProxy;
/** Set by tests that leave an upload open on purpose. */
let mayStayOpen: boolean;

beforeEach(async () => {
  mayStayOpen = false;
  s3 = await startS3Fixture();
  proxy = await startFaultProxy(s3.endpoint);
});
afterEach(async () => {
  const open = await s3.listOpenUploads();
  await s3.close();
  try {
    await eventually(async () => (await proxy.openSockets()) === 0);
  } finally {
    await proxy.close();
  }
  assert.deepEqual(open, mayStayOpen ? ['rows'] : [], 'no multipart upload is left open');
});

function connect(options: Partial<S3ConnectionOptions> = {}): S3Connection {
  return s3.connect({ endpoint: proxy.endpoint, ...options });
}

function run(request: Partial<ExportRequest> = {}): Promise<ExportResult> {
  return exportToS3({
    source: textSource(LARGE),
    connection: connect(),
    bucket: BUCKET,
    key: 'rows',
    rowFormat: { format: 'text', header: false },
    partSizeBytes: 5 * MIB,
    ...request,
  });
}

async function failureOf(running: Promise<unknown>): Promise<UploadError> {
  const [result] = await Promise.allSettled([running]);
  if (result.status === 'rejected' && result.reason instanceof UploadError) return result.reason;
  throw new Error('the export did not fail with an UploadError', { cause: result });
}

function countOf(matches: RegExp): number {
  return proxy.seen.filter((line) => matches.test(line)).length;
}

describe('a transient failure', () => {
  it.each([
    ['SlowDown', UPLOAD_PART, { do: 'answer', status: 503, code: 'SlowDown' }],
    ['an internal error', CREATE, { do: 'answer', status: 500, code: 'InternalError' }],
    ['too many requests', UPLOAD_PART, { do: 'answer', status: 429 }],
    ['RequestTimeout', UPLOAD_PART, { do: 'answer', status: 400, code: 'RequestTimeout' }],
    ['a reset', UPLOAD_PART, { do: 'reset' }],
    ['a lost answer', UPLOAD_PART, { do: 'lose-answer' }],
    ['an answer of 200 without an ETag', UPLOAD_PART, { do: 'swallow-answer', instead: 'empty' }],
    ['a cut answer', UPLOAD_PART, { do: 'cut-answer' }],
    ['a reset', CREATE, { do: 'reset' }],
    ['an empty answer', CREATE, { do: 'answer', status: 200, body: '<Oops/>' }],
    ['an internal error', COMPLETE, { do: 'answer', status: 500, code: 'InternalError' }],
    ['an error in an answer of 200', COMPLETE, { do: 'answer', status: 200, code: 'InternalError' }],
    ['an empty answer of 200', COMPLETE, { do: 'answer', status: 200, body: '' }],
    ['an answer of 200 without an object', COMPLETE, { do: 'answer', status: 200, body: '<Oops/>' }],
  ] as const)('is tried again: %s of %s', async (_, matches, fault) => {
    proxy.inject(matches, fault, 2);
    const result = await run();
    expect(result.files).toMatchObject([{ parts: 3 }]);
    expect((await s3.read('rows')).equals(textOf(LARGE))).toBe(true);
  });

  it('is tried again for a small object', async () => {
    proxy.inject(PUT_OBJECT, { do: 'reset' }, 1);
    proxy.inject(PUT_OBJECT, { do: 'answer', status: 503, code: 'SlowDown' }, 1);
    await run({ source: textSource(1000) });
    expect(countOf(PUT_OBJECT)).toBe(3);
  });

  it('is final after the attempts that are allowed', async () => {
    proxy.inject(PUT_OBJECT, {
      do: 'answer',
      status: 503,
      code: 'SlowDown',
      message: 'Please reduce your request rate.',
    });
    const error = await failureOf(run({ source: textSource(1000), connection: connect({ maxAttempts: 2 }) }));
    expect(countOf(PUT_OBJECT)).toBe(2);
    expect(error).toMatchObject({
      code: 'upload_failed',
      message: 'could not upload to Amazon S3',
      detail: "Amazon S3 client returned 'Please reduce your request rate.'.",
      s3Code: 'SlowDown',
      httpStatus: 503,
      retryable: true,
    });
  });

  it.each(['lose-answer', 'cut-answer'] as const)(
    'takes CompleteMultipartUpload for done: %s',
    async (fault) => {
      proxy.inject(COMPLETE, { do: fault }, 1);
      const result = await run();
      expect(result.files).toMatchObject([{ parts: 3, bytes: textOf(LARGE).length }]);
      expect((await s3.read('rows')).equals(textOf(LARGE))).toBe(true);
    },
  );

  it('takes it for done also where the role may not read', async () => {
    s3.denied.add('s3:GetObject');
    proxy.inject(COMPLETE, { do: 'lose-answer' }, 1);
    await run();
    s3.denied.clear();
    expect(await s3.listKeys()).toEqual(['rows']);
  });
});

describe('a refusal', () => {
  it('is final at once, and says which action is missing on which object', async () => {
    s3.denied.add('s3:PutObject');
    for (const source of [textSource(1000), textSource(LARGE)]) {
      const error = await failureOf(run({ source }));
      expect(error).toMatchObject({
        s3Code: 'AccessDenied',
        httpStatus: 403,
        retryable: false,
        bucket: BUCKET,
        key: 'rows',
      });
      expect(error.hint).toContain(`s3:PutObject on arn:aws:s3:::${BUCKET}/rows`);
      expect(error.requestId).toMatch(/^\w+$/);
    }
    expect(countOf(/^(?:PUT|POST)/)).toBe(2);
  });

  it('of a bucket that does not exist says so', async () => {
    const error = await failureOf(run({ bucket: 'no-such-bucket' }));
    expect(error).toMatchObject({
      s3Code: 'NoSuchBucket',
      detail: "Amazon S3 client returned 'The specified bucket does not exist'.",
    });
    expect(error.hint).toContain('"no-such-bucket"');
  });

  it.each([1000, LARGE])('of another region names the region of the bucket (%i bytes)', async (bytes) => {
    const error = await failureOf(
      run({ source: textSource(bytes), connection: connect({ region: 'us-west-2' }) }),
    );
    expect(error.hint).toContain(`is in the Region ${REGION}, not us-west-2`);
  });

  it.each([1000, LARGE])('by a redirect names the region of the bucket (%i bytes)', async (bytes) => {
    proxy.inject(/./, {
      do: 'answer',
      status: 301,
      code: 'PermanentRedirect',
      message: 'The bucket you are attempting to access must be addressed using the specified endpoint.',
      headers: { 'x-amz-bucket-region': 'ap-south-1' },
    });
    const error = await failureOf(run({ source: textSource(bytes) }));
    expect(error).toMatchObject({ s3Code: 'PermanentRedirect', httpStatus: 301 });
    expect(error.hint).toContain("give 'ap-south-1' as the region of the S3Connection");
  });

  it('of the credentials says where to look', async () => {
    const credentials = { accessKeyId: 'AKIAEXPORTER', secretAccessKey: 'wrong' };
    const error = await failureOf(
      run({ connection: connect({ credentials: () => Promise.resolve(credentials) }) }),
    );
    expect(error.s3Code).toBe('SignatureDoesNotMatch');
    expect(error.hint).toContain('credentials');
  });

  it('is read although the server breaks the connection while a body comes', async () => {
    proxy.inject(PUT_OBJECT, { do: 'refuse-early', status: 403, code: 'AccessDenied' });
    const error = await failureOf(run({ source: textSource(5 * MIB - 1000) }));
    expect(error.s3Code).toBe('AccessDenied');
    expect(countOf(PUT_OBJECT)).toBeLessThanOrEqual(2);
  });
});

/** The fixture's credentials, and a record of how they were requested. */
function noted(): { asked: boolean[]; credentials: S3ConnectionOptions['credentials'] } {
  const asked: boolean[] = [];
  return {
    asked,
    credentials: ({ forceRefresh = false } = {}) => {
      asked.push(forceRefresh);
      return Promise.resolve({ accessKeyId: 'AKIAEXPORTER', secretAccessKey: 'secret/of+the=exporter' });
    },
  };
}

describe('credentials', () => {
  it('that have expired are renewed once', async () => {
    const { asked, credentials } = noted();
    for (const operation of [UPLOAD_PART, CREATE, COMPLETE]) {
      asked.length = 0;
      proxy.inject(operation, { do: 'answer', status: 400, code: 'ExpiredToken' }, 1);
      await run({ connection: connect({ credentials }) });
      expect(asked).toEqual([false, true]);
    }
  });

  it('that may have expired are renewed once, where the answer has no body', async () => {
    const { asked, credentials } = noted();
    await run({ source: textSource(1000) });
    proxy.inject(/^HEAD /, { do: 'answer', status: 400, body: '' }, 1);
    expect(await headObject(connect({ credentials }), { bucket: BUCKET, key: 'rows' })).toMatchObject({
      bytes: 1000,
    });
    expect(asked).toEqual([false, true]);
  });

  it('that stay expired are a final failure', async () => {
    proxy.inject(PUT_OBJECT, { do: 'answer', status: 400, code: 'ExpiredToken' });
    const error = await failureOf(run({ source: textSource(1000) }));
    expect(error.s3Code).toBe('ExpiredToken');
    expect(countOf(PUT_OBJECT)).toBe(2);
  });

  it('that cannot be had are an error of their own', async () => {
    const credentials = (): Promise<never> => Promise.reject(new Error('no profile'));
    for (const source of [textSource(1000), textSource(LARGE)]) {
      const running = run({ source, connection: connect({ credentials }) });
      await expect(running).rejects.toMatchObject({ code: 'credentials_unavailable', detail: 'no profile' });
    }
  });
});

describe('a network failure', () => {
  it.each([1000, LARGE])('to connect names the endpoint (%i bytes)', async (bytes) => {
    const connection = s3.connect({ endpoint: 'http://127.0.0.1:1', maxAttempts: 2 });
    const error = await failureOf(run({ source: textSource(bytes), connection }));
    expect(error).toMatchObject({
      detail: "Amazon S3 client returned 'Unable to connect to endpoint'.",
      httpStatus: undefined,
      s3Code: undefined,
      retryable: true,
    });
    expect(error.hint).toBe(
      'Nothing accepts connections at http://127.0.0.1:1: check the endpoint of the S3Connection, and the way to it.',
    );
  });

  it('to resolve the host name says so', async () => {
    const connection = s3.connect({ endpoint: 'http://s3.invalid', maxAttempts: 1 });
    const error = await failureOf(run({ connection }));
    expect(error.hint).toContain('The host name of http://s3.invalid does not resolve');
  });

  it.each([
    ['PutObject', PUT_OBJECT, 1000, true],
    ['PutObject', PUT_OBJECT, 4 * MIB, false],
    ['UploadPart', UPLOAD_PART, LARGE, false],
    ['CreateMultipartUpload', CREATE, LARGE, true],
    ['CompleteMultipartUpload', COMPLETE, LARGE, true],
  ] as const)('of a stalled %s ends within its time', async (operation, matches, bytes, reading) => {
    proxy.inject(matches, { do: 'stall', reading });
    const started = Date.now();
    const connection = connect({ requestTimeoutMs: 1_000, maxAttempts: 1 });
    const error = await failureOf(run({ source: textSource(bytes), connection }));
    expect(Date.now() - started).toBeLessThan(8_000);
    expect(error).toMatchObject({
      operation,
      detail: "Amazon S3 client returned 'Unable to connect to endpoint'.",
    });
    expect(error.hint).toContain('made no progress');
  });

  it('is not what a slow upload is', async () => {
    // The operating systems' buffers take some megabytes at once; sending the rest takes longer than the timeout.
    const bytes = 24 * MIB;
    proxy.inject(UPLOAD_PART, { do: 'slow', bytesPerSecond: 8 * MIB });
    await run({
      source: textSource(bytes),
      partSizeBytes: bytes - 1,
      connection: connect({ requestTimeoutMs: 1_500, maxAttempts: 1 }),
    });
    expect((await s3.read('rows')).equals(textOf(bytes))).toBe(true);
  });
});

describe('a failed part', () => {
  it('ends the export at once while its source is silent', async () => {
    proxy.inject(UPLOAD_PART, { do: 'answer', status: 403, code: 'AccessDenied' });
    const source = new SilentSource(6 * MIB);
    const error = await failureOf(run({ source }));
    expect(error.operation).toBe('UploadPart');
    expect(source.returned).toBe(true);
  });

  it('lets go of the source before the clean-up', async () => {
    proxy.inject(UPLOAD_PART, { do: 'answer', status: 403, code: 'AccessDenied' });
    proxy.inject(ABORT, { do: 'stall', reading: true }, 1);
    const source = new SilentSource(6 * MIB);
    const running = failureOf(run({ source, connection: connect({ requestTimeoutMs: 1_000 }) }));
    await eventually(() => countOf(ABORT) === 1);
    expect(source.returned).toBe(true);
    mayStayOpen = true;
    await running;
  });

  it('stops the reading of the source when parts cannot be sent', async () => {
    proxy.inject(UPLOAD_PART, { do: 'stall', reading: true });
    let read = 0;
    async function* source(): AsyncGenerator<Uint8Array, void, void> {
      for await (const chunk of textSource(100 * MIB)) {
        read += chunk.byteLength;
        yield chunk;
      }
    }
    const controller = new AbortController();
    const running = run({ source: source(), partsInFlight: 2, signal: controller.signal });
    await eventually(() => countOf(UPLOAD_PART) === 2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(read).toBeLessThan(17 * MIB);
    controller.abort();
    await expect(running).rejects.toThrow('aborted');
  });

  it('is thrown although the upload cannot be aborted, which is named', async () => {
    mayStayOpen = true;
    s3.denied.add('s3:AbortMultipartUpload');
    proxy.inject(UPLOAD_PART, {
      do: 'answer',
      status: 403,
      code: 'InvalidAccessKeyId',
      message: 'Unknown key',
    });
    const left: string[] = [];
    const journal = {
      closed: () => expect.unreachable('it is still open'),
      leftOpen: ({ uploadId }: { uploadId: string }) => {
        left.push(uploadId);
      },
    };
    const error = await failureOf(run({ journal }));
    expect(error.detail).toBe("Amazon S3 client returned 'Unknown key'.");
    expect(left).toHaveLength(1);
    expect(error.hint).toContain(
      `The multipart upload ${left[0]} of s3://${BUCKET}/rows could not be aborted and is left open: abort it, which needs s3:AbortMultipartUpload.`,
    );
  });

  it("of the source stays the source's, when the upload cannot be aborted", async () => {
    mayStayOpen = true;
    s3.denied.add('s3:AbortMultipartUpload');
    const reason = new Error('mine');
    async function* source(): AsyncGenerator<Uint8Array, void, void> {
      yield* textSource(LARGE);
      throw reason;
    }
    await expect(run({ source: source() })).rejects.toBe(reason);
  });
});

describe('a failure to publish', () => {
  it('gives up the files before it, and names those that are there and may not be removed', async () => {
    s3.denied.add('s3:DeleteObject');
    proxy.inject(/^POST .*rows\?.*uploadId=/, { do: 'answer', status: 403, code: 'AccessDenied' });
    const error = await failureOf(run({ fileLimitBytes: 5 * MIB }));
    expect(error).toMatchObject({
      operation: 'CompleteMultipartUpload',
      key: 'rows',
      s3Code: 'AccessDenied',
    });
    expect(error.hint).toContain(
      `Already published, and left as they are: s3://${BUCKET}/rows_part2, s3://${BUCKET}/rows_part3. Removing them again needs s3:DeleteObject on them.`,
    );
    expect(await s3.listKeys()).toEqual(['rows_part2', 'rows_part3']);
  });

  it('says when it is not known whether the object is there', async () => {
    s3.denied.add('s3:GetObject');
    proxy.inject(PUT_OBJECT, { do: 'lose-answer' });
    const error = await failureOf(run({ source: textSource(1000), connection: connect({ maxAttempts: 1 }) }));
    expect(error.outcomeUnknown).toBe(true);
    expect(error.hint).toContain(
      `Whether s3://${BUCKET}/rows was stored is not known: that needs s3:GetObject.`,
    );
  });
});
