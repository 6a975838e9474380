import { closeSync, createReadStream, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { LocalError, systemErrorCode } from '../../../errors.ts';
import type { MultipartUpload, StoredObject, UploadedPart } from './stored-object.ts';

/** One change of a bucket. */
export type BucketLogEntry =
  /** If the object has an `uploadId`, the entry also ends that multipart upload. */
  | { readonly put: StoredObject }
  | { readonly delete: string }
  | { readonly upload: MultipartUpload }
  | { readonly part: UploadedPart; readonly of: string }
  | { readonly abort: string };

/** When the log is rewritten, entries are written in blocks of this size. */
const REWRITE_SIZE_CHARACTERS = 1024 * 1024;

/**
 * A bucket's contents as an append-only file of JSON lines. An entry is appended synchronously (some 10 us in the page
 * cache), so that memory and file always change together. A killed process leaves at most one incomplete line at the
 * end, which is removed at the next start. The log survives the end of the process, but maybe not a power cut.
 */
export class BucketLog {
  readonly #path: string;
  #descriptor: number | undefined;
  #sizeBytes = 0;
  #entries = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Opens the log, creates it if needed, and calls `apply` with every entry, in order. */
  async open(apply: (entry: BucketLogEntry) => void): Promise<void> {
    await rm(rewritePath(this.#path), { force: true });
    let readBytes = 0;
    let line = 0;
    for await (const text of completeLines(this.#path)) {
      line++;
      apply(parseEntry(text, this.#path, line));
      readBytes += text.length + 1;
    }
    this.#descriptor = openSync(this.#path, 'a', 0o600);
    ftruncateSync(this.#descriptor, readBytes);
    this.#sizeBytes = readBytes;
    this.#entries = line;
  }

  append(entry: BucketLogEntry): void {
    const descriptor = this.#open();
    const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
    try {
      writeAll(descriptor, bytes);
    } catch (error) {
      // If the disk was full, remove the incomplete line, so that the next entry begins on a new one.
      ftruncateSync(descriptor, this.#sizeBytes);
      throw error;
    }
    this.#sizeBytes += bytes.length;
    this.#entries++;
  }

  /** Replaces the whole log at once by these entries. */
  rewrite(entries: Iterable<BucketLogEntry>): void {
    const path = rewritePath(this.#path);
    const descriptor = openSync(path, 'w', 0o600);
    let sizeBytes = 0;
    let count = 0;
    try {
      let gathered = '';
      const flush = () => {
        const bytes = Buffer.from(gathered);
        writeAll(descriptor, bytes);
        sizeBytes += bytes.length;
        gathered = '';
      };
      for (const entry of entries) {
        gathered += `${JSON.stringify(entry)}\n`;
        count++;
        if (gathered.length >= REWRITE_SIZE_CHARACTERS) flush();
      }
      flush();
      renameSync(path, this.#path);
    } finally {
      closeSync(descriptor);
    }
    closeSync(this.#open());
    this.#descriptor = openSync(this.#path, 'a', 0o600);
    this.#sizeBytes = sizeBytes;
    this.#entries = count;
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new Error('the log of the bucket is closed');
    return this.#descriptor;
  }
}

function rewritePath(path: string): string {
  return `${path}.new`;
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
}

/** The lines that end with a newline; an incomplete last line is left out. */
async function* completeLines(path: string): AsyncGenerator<Buffer> {
  try {
    await (await open(path, 'r')).close();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  let rest: Buffer[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const tail = chunk.subarray(start, end);
      yield rest.length === 0 ? tail : Buffer.concat([...rest, tail]);
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
}

function parseEntry(text: Buffer, path: string, line: number): BucketLogEntry {
  try {
    // Our own file, written only by append(), so the entry is not validated.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return JSON.parse(text.toString('utf8')) as BucketLogEntry;
  } catch (error) {
    throw new LocalError('directory_unusable', `line ${line} of ${path} is not readable`, {
      cause: error,
      hint: 'Remove the state directory to start with an empty S3.',
    });
  }
}
