import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PipePool, type OpenPipe } from '../../src/agent/pipes/pipe-pool.ts';
import { PipeSource } from '../../src/agent/pipes/pipe-source.ts';

const run = promisify(execFile);

let directory: string;
let pool: PipePool;
let pipe: OpenPipe;
let source: PipeSource;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-pipes-'));
  pool = await PipePool.open({ directory });
  pipe = await pool.take();
  source = new PipeSource(pipe);
});
afterEach(async () => {
  await source.close();
  await pool.close();
  expect(await readdir(directory)).toEqual([]);
  await rm(directory, { recursive: true });
});

async function collect(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function openWriter(): Promise<FileHandle> {
  return open(pipe.path, 'w');
}

describe('PipeSource', () => {
  it('gives every byte, and ends at the commit', async () => {
    const bytes = Buffer.alloc(3_000_000, 'row\n');
    const collected = collect();
    const writer = await openWriter();
    await writer.writeFile(bytes);
    await writer.close();
    source.commit();
    expect((await collected).equals(bytes)).toBe(true);
  });

  it('does not end with the pipe: a failed query ends it too', async () => {
    const collected = collect();
    const writer = await openWriter();
    await writer.writeFile('rows');
    await writer.close();
    const first = await Promise.race([collected.then(() => 'ended'), delay(300, 'still going')]);
    expect(first).toBe('still going');
    source.abort(new Error('the query failed'));
    await expect(collected).rejects.toThrow('the query failed');
  });

  it('gives what is still in the pipe when the commit comes before it was read', async () => {
    const writer = await openWriter();
    await writer.writeFile('the last rows');
    await writer.close();
    source.commit();
    expect((await collect()).toString()).toBe('the last rows');
  });

  it('is empty when nobody wrote', async () => {
    source.commit();
    expect(await collect()).toEqual(Buffer.alloc(0));
  });

  it('reads a page now and then though nobody takes it, so that the writer gets on', async () => {
    const iterator = source[Symbol.asyncIterator]();
    const writer = await openWriter();
    const bytes = Buffer.alloc(64 * 1024 + 64 * 1024 + 3 * 4096, 'x');
    const written = writer.writeFile(bytes).then(() => writer.close());
    const first = await iterator.next();
    const received = [Buffer.from(first.value ?? [])];
    // After the first chunk, three pages more are left than the pipe holds: somebody must read them.
    await written;
    source.commit();
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      received.push(Buffer.from(next.value));
    }
    expect(Buffer.concat(received).equals(bytes)).toBe(true);
  });

  it('the name is gone once the writer has written', async () => {
    const collected = collect();
    const writer = await openWriter();
    await writer.writeFile('x');
    while (existsSync(pipe.path)) await delay(5);
    await writer.close();
    source.commit();
    expect((await collected).toString()).toBe('x');
  });

  it('refuses writes after a failure, also those of a writer that opens the pipe after it', async () => {
    await source.refuseWrites();
    expect(existsSync(pipe.path)).toBe(true);
    // A separate process, because a thread of this process that is blocked in write() could not be stopped.
    const writing = run('sh', ['-c', `trap '' PIPE; head -c 1000000 /dev/zero > '${pipe.path}'`]);
    await expect(writing).rejects.toMatchObject({
      stderr: expect.stringContaining('Broken pipe') as unknown,
    });
  });
});

describe('PipePool', () => {
  it('makes new pipes as they are taken, each with a name of its own', async () => {
    const names = new Set<string>();
    for (let i = 0; i < 100; i += 1) {
      const taken = await pool.take();
      names.add(taken.name);
      const used = new PipeSource(taken);
      await used.close();
    }
    expect(names.size).toBe(100);
  });

  it('frees a writer that waits on a pipe which a killed agent left, and removes it', async () => {
    const own = await mkdtemp(join(tmpdir(), 'sluice-left-'));
    const left = join(own, 'left');
    await run('mkfifo', [left]);
    const writing = run('sh', ['-c', `trap '' PIPE; head -c 1000000 /dev/zero > '${left}'`]);
    const ended = writing.then(
      () => 'written',
      () => 'refused',
    );
    await delay(100);
    const next = await PipePool.open({ directory: own });
    expect(await ended).toBe('refused');
    expect(existsSync(left)).toBe(false);
    await next.close();
    await rm(own, { recursive: true });
  });
});
