import { describe, expect, it } from 'vitest';
import type { Blocks, Compressor } from '../compression/compressor.ts';
import { viewsOf } from '../compression/compressor.ts';
import { BLOCK_BYTES, BufferMemory } from './buffer-memory.ts';
import { CompressedFile } from './compressed-file.ts';
import type { FileUpload } from './file-upload.ts';
import { PartScheduler } from './part-scheduler.ts';

const PIECE = 8 * BLOCK_BYTES;
const STREAM = 3 * BLOCK_BYTES;

/** Keeps what it is given, as an upload does. */
function memorySink(): { upload: FileUpload; content: () => Buffer } {
  const pieces: Buffer[] = [];
  const upload = {
    get lengthBytes() {
      return pieces.reduce((sum, { length }) => sum + length, 0);
    },
    append: (bytes: Uint8Array) => Promise.resolve(void pieces.push(Buffer.from(bytes))),
    sendUpTo: () => Promise.resolve(),
    end: () => Promise.resolve(),
  };
  return { upload: upload as unknown as FileUpload, content: () => Buffer.concat(pieces) };
}

/** Gives each piece back as it was, when it is told to, in any order. */
class SlowCompressor implements Compressor {
  readonly concurrency = 3;
  readonly memoryBytes = STREAM;
  readonly waiting: { done: () => void; fail: (error: Error) => void }[] = [];
  isClosed = false;

  compress(input: Blocks): ReturnType<Compressor['compress']> {
    return new Promise((resolve, reject) => {
      this.waiting.push({
        done: () => resolve({ output: viewsOf(input), blocks: input.blocks }),
        fail: reject,
      });
    });
  }

  end(): Promise<Uint8Array[]> {
    return Promise.resolve([Buffer.from('end')]);
  }

  close(): void {
    this.isClosed = true;
  }
}

function open() {
  const memory = new BufferMemory();
  const scheduler = new PartScheduler({ partsInFlight: 1 });
  const compressor = new SlowCompressor();
  const { upload, content } = memorySink();
  const file = new CompressedFile(upload, { createCompressor: () => compressor, memory, scheduler });
  return { memory, scheduler, compressor, file, content };
}

describe('CompressedFile', () => {
  it('stores pieces in the order of the bytes, whichever is compressed first, and gives all memory back', async () => {
    const { memory, compressor, file, content } = open();
    const bytes = Buffer.concat(
      [1, 2, 3].map((value) => Buffer.alloc(PIECE, value)).concat(Buffer.from('rest')),
    );
    await file.append(bytes);
    await file.sendUpTo(bytes.length);
    const ending = file.end({ keepsOnePart: true });
    for (const index of [2, 0, 1]) compressor.waiting[index]?.done();
    await expect.poll(() => compressor.waiting.length).toBe(4);
    compressor.waiting[3]?.done();
    await ending;
    expect(content().equals(Buffer.concat([bytes, Buffer.from('end')]))).toBe(true);
    expect(memory.lentBytes).toBe(0);
    expect(compressor.isClosed).toBe(true);
  });

  it('compresses no byte that may still move to the next file', async () => {
    const { compressor, file } = open();
    const next = open();
    await file.append(Buffer.alloc(3 * PIECE, 'a'));
    await file.sendUpTo(PIECE + 1);
    expect(compressor.waiting).toHaveLength(1);
    await file.moveEnd(2 * PIECE - 1, next.file);
    const ending = file.end({ keepsOnePart: false });
    await expect.poll(() => compressor.waiting.length).toBe(2);
    for (const piece of compressor.waiting) piece.done();
    await ending;
    await next.file.discard();
    expect(next.memory.lentBytes).toBe(0);
  });

  it('counts what the compressor takes, and gives it back with blocks that were lost with a thread', async () => {
    const { memory, compressor, file } = open();
    await file.append(Buffer.alloc(2 * PIECE + 1));
    await file.sendUpTo(2 * PIECE);
    expect(memory.lentBytes).toBe(2 * PIECE + BLOCK_BYTES + STREAM);
    const lost = new Error('its thread has ended');
    compressor.waiting[0]?.fail(lost);
    await expect(file.end({ keepsOnePart: true })).rejects.toBe(lost);
    compressor.waiting[1]?.done();
    compressor.waiting[2]?.done();
    await file.discard();
    expect(memory.lentBytes).toBe(0);
    expect(compressor.isClosed).toBe(true);
  });

  it('stops waiting for a piece when the export fails, but frees its memory only when it is done', async () => {
    const { memory, scheduler, compressor, file } = open();
    await file.append(Buffer.alloc(PIECE + 1));
    await file.sendUpTo(PIECE);
    const ending = file.end({ keepsOnePart: true });
    const reason = new Error('aborted');
    scheduler.fail(reason);
    await expect(ending).rejects.toBe(reason);
    const discarding = file.discard();
    expect(memory.lentBytes).toBeGreaterThanOrEqual(PIECE);
    for (const piece of compressor.waiting) piece.done();
    await discarding;
    expect(memory.lentBytes).toBe(0);
  });
});
