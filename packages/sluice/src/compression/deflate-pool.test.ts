import { inflateRawSync, constants } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { viewsOf } from './compressor.ts';
import type { DeflateJob, DeflateReply } from './deflate-job.ts';
import { DeflatePool } from './deflate-pool.ts';
import { DeflateThread } from './deflate-thread.ts';

const pools: DeflatePool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

function poolOf(options: ConstructorParameters<typeof DeflatePool>[0]): DeflatePool {
  const pool = new DeflatePool(options);
  pools.push(pool);
  return pool;
}

function jobOf(text: string, blockBytes = 1024, level = 6): DeflateJob {
  const bytes = Buffer.from(text);
  const blocks = Array.from({ length: Math.ceil(bytes.length / blockBytes) }, (_, index) => {
    const block = new Uint8Array(blockBytes);
    block.set(bytes.subarray(index * blockBytes, (index + 1) * blockBytes));
    return block;
  });
  return { blocks, lengthBytes: bytes.length, level };
}

function contentOf(reply: DeflateReply): string {
  return inflateRawSync(Buffer.concat([...viewsOf(reply), reply.overflow]), {
    finishFlush: constants.Z_SYNC_FLUSH,
  }).toString();
}

describe('DeflatePool', () => {
  it('compresses each job into its own blocks, by as many threads as it may have', async () => {
    let started = 0;
    const pool = poolOf({ maxThreads: 2, start: () => (started++, new DeflateThread()) });
    const texts = Array.from({ length: 12 }, (_, index) => `text ${index} `.repeat(500 + index));
    const replies = await Promise.all(texts.map((text) => pool.run(jobOf(text))));
    expect(replies.map(contentOf)).toEqual(texts);
    expect(replies.map(({ blocks }) => blocks.length)).toEqual(
      texts.map((text) => jobOf(text).blocks.length),
    );
    expect(started).toBe(2);
  });

  it('leaves the event loop free', async () => {
    const pool = poolOf({ maxThreads: 1 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const text = Array.from({ length: 400_000 }, (_, index) => `${index * 7919}\tsome words\n`).join('');
    const running = pool.run(jobOf(text, 65_536, 9));
    ticks = 0;
    await running;
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(20);
  });

  it('fails the jobs of a thread that is lost, and takes the next by another', async () => {
    const lost = new URL(
      `data:text/javascript,import{parentPort as p}from'node:worker_threads';p.on('message',()=>process.exit(3))`,
    );
    const programs = [lost, undefined];
    const pool = poolOf({ maxThreads: 1, start: () => new DeflateThread(programs.shift()) });
    const failure = { code: 'internal', message: 'a thread that compresses has ended', retryable: true };
    const outcomes = await Promise.allSettled([
      pool.run(jobOf('a')),
      pool.run(jobOf('b')),
      pool.run(jobOf('c')),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: failure },
      { status: 'rejected', reason: failure },
      { status: 'fulfilled' },
    ]);
    expect(contentOf(await pool.run(jobOf('d')))).toBe('d');
  });

  it('fails a job whose thread fails, with its reason', async () => {
    const failing = new URL(
      `data:text/javascript,import{parentPort as p}from'node:worker_threads';p.on('message',()=>{throw new Error('out of luck')})`,
    );
    const pool = poolOf({ maxThreads: 1, start: () => new DeflateThread(failing) });
    await expect(pool.run(jobOf('a'))).rejects.toMatchObject({ code: 'internal', detail: 'out of luck.' });
  });

  it('does with fewer threads where no more can be started, and fails its jobs where none can', async () => {
    const outcomes = [true, false, false];
    const start = () => {
      if (outcomes.shift() !== true) throw new Error('no more threads');
      return new DeflateThread();
    };
    const pool = poolOf({ maxThreads: 2, start });
    const replies = await Promise.all(['a', 'b', 'c'].map((text) => pool.run(jobOf(text))));
    expect(replies.map(contentOf)).toEqual(['a', 'b', 'c']);

    const failing = poolOf({ maxThreads: 2, start });
    await expect(failing.run(jobOf('a'))).rejects.toMatchObject({
      code: 'internal',
      message: 'could not start a thread to compress',
      detail: 'no more threads.',
    });
  });

  it('fails a job that does not arrive, as its blocks are gone, and takes the next', async () => {
    const pool = poolOf({ maxThreads: 1 });
    const job = jobOf('moved');
    await pool.run(job);
    await expect(pool.run(job)).rejects.toMatchObject({ code: 'internal' });
    expect(contentOf(await pool.run(jobOf('next')))).toBe('next');
  });
});
