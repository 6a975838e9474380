import { constants, mkdirSync } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { systemErrorCode } from '../../../errors.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { Segment } from './stored-object.ts';

const READ_SIZE_BYTES = 1024 * 1024;
const MOST_UNLINKS_AT_ONCE = 16;

/**
 * The files that contain a bucket's bytes, with random names in 256 directories. A complete file never changes. A file
 * that is being read is pinned: it is removed only when the last reader has ended.
 */
export class SegmentFiles {
  readonly #directory: string;
  /** The directories that are known to exist. */
  readonly #shards = new Set<string>();
  readonly #pins = new Map<string, number>();
  readonly #removeWhenUnpinned = new Set<string>();
  #removing: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  newWriter(): SegmentWriter {
    const file = this.#newName();
    return new SegmentWriter(file, this.#path(file));
  }

  /** Reads `sizeBytes` from `offsetBytes` on, of the segments' concatenation. The segments must be pinned. */
  async *read(segments: readonly Segment[], offsetBytes: number, sizeBytes: number): AsyncGenerator<Buffer> {
    for (const piece of sliceSegments(segments, offsetBytes, sizeBytes)) {
      const handle = await open(this.#path(piece.file), 'r');
      try {
        let position = piece.offsetBytes ?? 0;
        const end = position + piece.sizeBytes;
        while (position < end) {
          const buffer = Buffer.allocUnsafeSlow(Math.min(READ_SIZE_BYTES, end - position));
          const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
          if (bytesRead === 0) throw new Error(`the data file ${piece.file} is shorter than its index says`);
          position += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await handle.close();
      }
    }
  }

  /** Keeps the segments' files until the returned function is called. */
  pin(segments: readonly Segment[]): () => void {
    for (const { file } of segments) this.#pins.set(file, (this.#pins.get(file) ?? 0) + 1);
    return () => {
      const unpinned: string[] = [];
      for (const { file } of segments) {
        const readers = (this.#pins.get(file) ?? 1) - 1;
        if (readers > 0) this.#pins.set(file, readers);
        else {
          this.#pins.delete(file);
          if (this.#removeWhenUnpinned.delete(file)) unpinned.push(file);
        }
      }
      this.#unlink(unpinned.map((file) => this.#path(file)));
    };
  }

  /** Makes the same bytes available to a second owner: by hard links, or by a copy if the file system has none. */
  async share(
    segments: readonly Segment[],
    offsetBytes: number,
    sizeBytes: number,
    from: SegmentFiles,
  ): Promise<Segment[]> {
    const shared: Segment[] = [];
    try {
      for (const piece of sliceSegments(segments, offsetBytes, sizeBytes)) {
        const file = this.#newName();
        await linkOrCopy(from.#path(piece.file), this.#path(file));
        shared.push({ ...piece, file });
      }
    } catch (error) {
      this.remove(shared);
      throw error;
    }
    return shared;
  }

  /** Removes files in the background; `settled` waits for it. */
  remove(segments: readonly Segment[]): void {
    const unpinned: string[] = [];
    for (const { file } of segments) {
      if (this.#pins.has(file)) this.#removeWhenUnpinned.add(file);
      else unpinned.push(file);
    }
    this.#unlink(unpinned.map((file) => this.#path(file)));
  }

  async settled(): Promise<void> {
    await this.#removing;
  }

  /** Removes the files that belong to no object: a killed server was still writing them, or about to remove them. */
  async sweep(owned: ReadonlySet<string>): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    for (const shard of await readdir(this.#directory)) {
      const files = await readdir(path.join(this.#directory, shard));
      this.#unlink(
        files.filter((file) => !owned.has(file)).map((file) => path.join(this.#directory, shard, file)),
      );
    }
    await this.settled();
  }

  #newName(): string {
    const file = randomBytes(15).toString('hex');
    const shard = path.dirname(this.#path(file));
    if (!this.#shards.has(shard)) mkdirSync(shard, { recursive: true, mode: 0o700 });
    this.#shards.add(shard);
    return file;
  }

  #path(file: string): string {
    return path.join(this.#directory, file.slice(0, 2), file);
  }

  #unlink(paths: readonly string[]): void {
    if (paths.length > 0) this.#removing = unlinkAfter(this.#removing, paths);
  }
}

async function unlinkAfter(earlier: Promise<void>, paths: readonly string[]): Promise<void> {
  await earlier;
  for (let start = 0; start < paths.length; start += MOST_UNLINKS_AT_ONCE) {
    // A file that can't be removed is removed by sweep() at the next start.
    await Promise.allSettled(paths.slice(start, start + MOST_UNLINKS_AT_ONCE).map((file) => unlink(file)));
  }
}

/** The parts of segments that contain `sizeBytes` from `offsetBytes` on, of the segments' concatenation. */
export function sliceSegments(
  segments: readonly Segment[],
  offsetBytes: number,
  sizeBytes: number,
): Segment[] {
  const end = offsetBytes + sizeBytes;
  const pieces: Segment[] = [];
  let start = 0;
  for (const segment of segments) {
    const from = Math.max(offsetBytes, start);
    const to = Math.min(end, start + segment.sizeBytes);
    if (from < to) {
      pieces.push({
        file: segment.file,
        offsetBytes: (segment.offsetBytes ?? 0) + from - start,
        sizeBytes: to - from,
      });
    }
    start += segment.sizeBytes;
    if (start >= end) break;
  }
  return pieces;
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}
