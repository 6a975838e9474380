import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal } from '../../src/agent/open-journal.ts';
import { CleanUp } from '../../src/clean-up/clean-up.ts';
import type { ExportRequest, ExportResult } from '../../src/exporter/export-request.ts';
import { exportToS3 } from '../../src/exporter/export-to-s3.ts';
import { MIB } from '../../src/exporter/part-size.ts';
import { PublishedKeys } from '../../src/exporter/published-keys.ts';
import type { UploadJournal } from '../../src/exporter/upload-journal.ts';
import { createMultipartUpload } from '../../src/s3/multipart-upload.ts';
import { type FaultProxy, startFaultProxy } from '../exporter/fault-proxy.ts';
import { BUCKET, REGION, type S3Fixture, startS3Fixture } from '../exporter/s3-fixture.ts';
import { bytesSource, eventually, textOf, textSource } from '../exporter/sources.ts';

const CREATE = /^POST .*\?uploads/;
const ABORT = /^DELETE .*uploadId=/;
/** Two files of almost 5 MiB, each a multipart upload, and the rest in one PutObject. */
const THREE_FILES = 11 * MIB;
const CLEANED_UP_MS = 20_000;

let s3: S3Fixture;
let proxy: FaultProxy;
let directory: string;
let cleanUp: CleanUp;
let keys: PublishedKeys;
let logged: { msg: string; bucket?: string; key?: string }[];

beforeEach(async () => {
  logged = [];
  directory = await mkdtemp(join(tmpdir(), 'sluice-clean-up-'));
  s3 = await startS3Fixture();
  proxy = await startFaultProxy(s3.endpoint);
  await restart();
});
afterEach(async () => {
  await cleanUp.stop();
  await s3.close();
  await proxy.close();
  await rm(directory, { recursive: true, force: true });
});

/** Starts the clean-up like an agent that starts after another was killed; nothing of the killed one goes on. */
async function restart(): Promise<void> {
  keys = new PublishedKeys();
  const connection = s3.connect({ endpoint: proxy.endpoint, maxAttempts: 1, requestTimeoutMs: 3_000 });
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const { store, left } = await openJournal(directory, log);
  cleanUp = new CleanUp({
    store,
    s3: { use: (_access, _options, cleanUpWith) => cleanUpWith(connection) },
    keys,
    log,
  });
  cleanUp.takeOver(left);
}

function journal(): UploadJournal {
  return cleanUp.journalOf({ region: REGION, databaseRole: 'report_user' });
}

function run(request: Partial<ExportRequest> = {}): Promise<ExportResult> {
  const running = exportToS3({
    source: textSource(6 * MIB),
    connection: s3.connect({ endpoint: proxy.endpoint, maxAttempts: 2, requestTimeoutMs: 1_500 }),
    bucket: BUCKET,
    key: 'rows',
    rowFormat: { format: 'text', header: false },
    partSizeBytes: 5 * MIB,
    publishedKeys: keys,
    journal: journal(),
    ...request,
  });
  // Some exports end only after the test that began them.
  running.catch(() => undefined);
  return running;
}

async function journalled(): Promise<number> {
  return (await readdir(join(directory, 'uploads'))).length;
}

/** Waits until no upload is open and the journal is empty. */
async function settled(): Promise<void> {
  await eventually(
    async () => (await s3.listOpenUploads()).length === 0 && (await journalled()) === 0,
    CLEANED_UP_MS,
  );
}

/** Refusals that do not say that the role lacks a permission. */
const PASSING = [
  ['SlowDown', 503],
  ['ExpiredToken', 400],
  ['RequestTimeTooSkewed', 403],
] as const;

const LOST_ANSWERS = [
  ['reset', { do: 'lose-answer' }],
  ['cut', { do: 'cut-answer' }],
  ['empty', { do: 'swallow-answer', instead: 'empty' }],
  ['accident', { do: 'swallow-answer', instead: 'error' }],
  ['missing', { do: 'swallow-answer', instead: 'nothing' }],
] as const;

describe('an upload whose creation got no answer', () => {
  it('is found and aborted while the export goes on with another', async () => {
    for (const [key, fault] of LOST_ANSWERS) proxy.inject(new RegExp(`^POST .*/${key}\\?uploads`), fault, 1);
    await Promise.all(LOST_ANSWERS.map(([key]) => run({ key })));
    expect(proxy.seen.filter((line) => CREATE.test(line))).toHaveLength(2 * LOST_ANSWERS.length);
    await settled();
    for (const [key] of LOST_ANSWERS) expect((await s3.read(key)).equals(textOf(6 * MIB))).toBe(true);
  });

  it('is aborted when the export fails', async () => {
    proxy.inject(CREATE, { do: 'lose-answer' });
    await expect(run()).rejects.toThrow('could not upload');
    expect(proxy.seen.filter((line) => CREATE.test(line))).toHaveLength(2);
    await settled();
  });

  it('is aborted by the agent that starts next', async () => {
    s3.denied.add('s3:ListBucketMultipartUploads');
    proxy.inject(CREATE, { do: 'lose-answer' }, 1);
    await run();
    await cleanUp.stop();
    expect(await journalled()).toBe(1);
    s3.denied.clear();
    await restart();
    await settled();
  });

  it('is named once, and stays noted, where the role may not look for it', async () => {
    s3.denied.add('s3:ListBucketMultipartUploads');
    proxy.inject(CREATE, { do: 'lose-answer' }, 1);
    await run();
    await eventually(
      () => proxy.seen.filter((line) => /^GET .*uploads/.test(line)).length >= 3,
      CLEANED_UP_MS,
    );
    const lines = logged.filter(({ msg }) => msg.includes('s3:ListBucketMultipartUploads'));
    expect(lines).toMatchObject([{ bucket: BUCKET, key: 'rows' }]);
    expect(await journalled()).toBe(1);
  });

  it("is told from this agent's own, and from older ones of others", async () => {
    const others = await createMultipartUpload(s3.connect(), { bucket: BUCKET, key: 'rows' });
    await delay(3_000);
    proxy.inject(CREATE, { do: 'lose-answer' }, 1);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slowSource(): AsyncGenerator<Uint8Array, void, void> {
      yield* textSource(11 * MIB);
      await released;
    }
    const slow = run({ source: slowSource() });
    await run();
    await eventually(async () => (await journalled()) === 1, CLEANED_UP_MS);
    release();
    await slow;
    expect(await s3.listOpenUploads()).toEqual([others.key]);
  });
});

describe('an upload that could not be aborted', () => {
  it.each(PASSING)('is aborted a little later (%s)', async (code, status) => {
    proxy.inject(ABORT, { do: 'answer', status, code }, 3);
    async function* failing(): AsyncGenerator<Uint8Array, void, void> {
      yield* textSource(11 * MIB);
      throw new Error('no');
    }
    await expect(run({ source: failing() })).rejects.toThrow('no');
    await settled();
    expect(await s3.listKeys()).toEqual([]);
  });
});

/** Never resolves: the export stops here, as if the agent had been killed. */
const never = new Promise<never>(() => undefined);

/** A journal that stops after its nth note about publishing, or before the note that ends publishing. */
function killedAt(step: number): { journal: UploadJournal; killed: Promise<void> } {
  const real = journal();
  let kill = (): void => undefined;
  const killed = new Promise<void>((resolve) => {
    kill = resolve;
  });
  let steps = 0;
  const at = async (note: () => unknown, { before = false } = {}): Promise<void> => {
    const isHere = steps++ === step;
    if (!isHere || !before) await note();
    if (!isHere) return;
    kill();
    await never;
  };
  return {
    killed,
    journal: {
      opening: (object) => real.opening?.(object) ?? never,
      closed: (upload) => real.closed?.(upload),
      publishing: (objects) => at(() => real.publishing?.(objects)),
      published: (object) => at(() => real.published?.(object)),
      settled: (outcome) => at(() => real.settled?.(outcome), { before: true }),
    },
  };
}

describe('an agent that is killed while it publishes three files', () => {
  it.each([0, 1, 2, 3, 4])('leaves nothing to the next one: step %i', async (step) => {
    const { journal: dying, killed } = killedAt(step);
    void run({ source: textSource(THREE_FILES), fileLimitBytes: 5 * MIB, journal: dying });
    await killed;
    await cleanUp.stop();
    expect(await s3.listKeys()).toHaveLength(Math.min(step, 3));
    await restart();
    await eventually(
      async () => (await s3.listOpenUploads()).length === 0 && (await s3.listKeys()).length === 0,
      CLEANED_UP_MS,
    );
    // An object whose answer was not noted is looked for a while longer.
    if (step > 0) await settled();
    expect(logged.filter(({ msg }) => /could not|left|not known/.test(msg))).toEqual([]);
  });

  it('leaves the objects when their success was about to be told', async () => {
    await run({ source: textSource(THREE_FILES), fileLimitBytes: 5 * MIB });
    await cleanUp.stop();
    await restart();
    await delay(500);
    expect(await s3.listKeys()).toEqual(['rows', 'rows_part2', 'rows_part3']);
  });

  it('names what the next one may not delete', async () => {
    const { journal: dying, killed } = killedAt(1);
    void run({ source: textSource(THREE_FILES), fileLimitBytes: 5 * MIB, journal: dying });
    await killed;
    await cleanUp.stop();
    s3.denied.add('s3:DeleteObject');
    await restart();
    await settled();
    expect(logged.filter(({ msg }) => msg.includes('is left'))).toMatchObject([{ key: 'rows_part3' }]);
  });

  it('names an object when S3 says that there is no such bucket', async () => {
    const { journal: dying, killed } = killedAt(1);
    void run({ source: textSource(1_000), journal: dying });
    await killed;
    await cleanUp.stop();
    proxy.inject(/^DELETE /, { do: 'answer', status: 404, code: 'NoSuchBucket' }, 1);
    await restart();
    await settled();
    expect(logged.filter(({ msg }) => msg.includes('is left'))).toMatchObject([{ key: 'rows' }]);
  });

  it.each(PASSING)('has the next one try again to delete (%s)', async (code, status) => {
    const { journal: dying, killed } = killedAt(1);
    void run({ source: textSource(1_000), journal: dying });
    await killed;
    await cleanUp.stop();
    proxy.inject(/^DELETE /, { do: 'answer', status, code }, 3);
    await restart();
    await settled();
    expect(await s3.listKeys()).toEqual([]);
  });

  it.each([
    ['the same content', 1_000],
    ['another content', 2_000],
  ])('removes no newer object: %s', async (_, bytes) => {
    const { journal: dying, killed } = killedAt(1);
    void run({ source: textSource(1_000), journal: dying });
    await killed;
    await cleanUp.stop();
    s3.denied.add('s3:DeleteObject');
    proxy.inject(/^DELETE /, { do: 'answer', status: 503, code: 'SlowDown' }, 1);
    await restart();
    await run({ source: textSource(bytes) });
    s3.denied.clear();
    await settled();
    expect((await s3.read('rows')).equals(textOf(bytes))).toBe(true);
  });

  it('finds an object whose answer had not come, by its checksum', async () => {
    proxy.inject(/^PUT /, { do: 'swallow-answer', instead: 'nothing' }, 1);
    void run({
      source: bytesSource([Buffer.from('row\n')]),
      connection: s3.connect({ endpoint: proxy.endpoint }),
      journal: killedAt(9).journal,
    });
    await eventually(async () => (await s3.listKeys()).length === 1);
    await cleanUp.stop();
    await restart();
    await eventually(async () => (await s3.listKeys()).length === 0, CLEANED_UP_MS);
    expect(logged.map(({ msg }) => msg)).toContain('removed an object that a failed export had published');
  });
});
