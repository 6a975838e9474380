import { closeSync, createReadStream, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { LocalError, systemErrorCode } from '../../../errors.ts';
import type { MultipartUpload, StoredObject, UploadedPart } from './stored-object.ts';

/** One change of a bucket. */
export type BucketLogEntry =
  /** With the object's `uploadId`, it also ends that multipart upload. */
  | { readonly put: StoredObject }
  | { readonly delete: string }
  | { readonly upload: MultipartUpload }
  | { readonly part: UploadedPart; readonly of: string }
  | { readonly abort: string };

/** Entries are gathered up to this size when the log is rewritten. */
const REWRITE_SIZE_CHARACTERS = 1024 * 1024;

/**
 * A bucket's contents as an append-only file of JSON lines. An entry is one synchronous append (some 10 us in the page
 * cache), so that memory and file change in the same turn, and a killed process leaves at most one torn line at the
 * end, which is cut off at the next start. It survives the end of the process, not the loss of power.
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

  /** Opens the log, making it if need be, and hands every entry to `apply`, in order. */
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
      // A full disk must not leave half a line before the next entry.
      ftruncateSync(descriptor, this.#sizeBytes);
      throw error;
    }
    this.#sizeBytes += bytes.length;
    this.#entries++;
  }

  /** Replaces the whole log at once, dropping what no longer matters. */
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

/** The lines that end in a newline; a torn last one is left out. */
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
    // Our own file, written by append() only: its shape is not checked again.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return JSON.parse(text.toString('utf8')) as BucketLogEntry;
  } catch (error) {
    throw new LocalError('directory_unusable', `line ${line} of ${path} is not readable`, {
      cause: error,
      hint: 'Remove the state directory to start with an empty S3.',
    });
  }
}
