import path from 'node:path';
import { BucketLog, type BucketLogEntry } from './bucket-log.ts';
import { KeyIndex } from './key-index.ts';
import { SegmentFiles } from './segment-files.ts';
import type { MultipartUpload, Segment, StoredObject, UploadedPart } from './stored-object.ts';

/** The description of a bucket, which is stored in its bucket.json. */
export interface BucketDescription {
  readonly name: string;
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** An upload that is neither completed nor aborted, with the parts that it has. */
export interface OpenUpload {
  readonly upload: MultipartUpload;
  readonly parts: Map<number, UploadedPart>;
}

/**
 * The log is rewritten when it has at least this many entries, and more than four for each one that is still needed.
 */
const REWRITE_FROM_ENTRIES = 10_000;

/**
 * A bucket: its objects and open uploads in memory, its log, and its data files. A change of memory and log is one
 * synchronous step. Data files are written before that step and removed after it.
 */
export class Bucket implements BucketDescription {
  readonly name: string;
  readonly region: string;
  readonly createdAt: number;
  readonly objects = new KeyIndex<StoredObject>();
  readonly uploads = new Map<string, OpenUpload>();
  readonly segments: SegmentFiles;
  readonly #log: BucketLog;
  #rewriteCheckAtEntries = REWRITE_FROM_ENTRIES;

  private constructor(directory: string, description: BucketDescription) {
    this.name = description.name;
    this.region = description.region;
    this.createdAt = description.createdAt;
    this.segments = new SegmentFiles(path.join(directory, 'data'));
    this.#log = new BucketLog(path.join(directory, 'contents.log'));
  }

  static async open(directory: string, description: BucketDescription): Promise<Bucket> {
    const bucket = new Bucket(directory, description);
    const objects = new Map<string, StoredObject>();
    await bucket.#log.open((entry) => {
      if ('put' in entry) {
        objects.set(entry.put.key, entry.put);
        if (entry.put.uploadId !== undefined) bucket.uploads.delete(entry.put.uploadId);
      } else if ('delete' in entry) objects.delete(entry.delete);
      else if ('upload' in entry) bucket.#addUpload(entry.upload);
      else if ('part' in entry) bucket.uploads.get(entry.of)?.parts.set(entry.part.partNumber, entry.part);
      else bucket.uploads.delete(entry.abort);
    });
    bucket.objects.load(objects);
    await bucket.segments.sweep(new Set(bucket.#ownedFiles()));
    bucket.#rewriteLogIfWorthIt();
    return bucket;
  }

  get isEmpty(): boolean {
    return this.objects.size === 0;
  }

  /** Stores an object; it replaces one with the same key. With `uploadId`, also ends that upload. */
  putObject(object: StoredObject): void {
    const replaced = this.objects.get(object.key);
    const upload = object.uploadId === undefined ? undefined : this.uploads.get(object.uploadId);
    this.#append({ put: object });
    this.objects.set(object.key, object);
    if (replaced !== undefined) this.segments.remove(replaced.segments);
    if (upload !== undefined) {
      this.uploads.delete(upload.upload.uploadId);
      const kept = new Set(object.segments.map(({ file }) => file));
      this.segments.remove(segmentsOf(upload).filter(({ file }) => !kept.has(file)));
    }
  }

  deleteObject(key: string): void {
    const object = this.objects.get(key);
    if (object === undefined) return;
    this.#append({ delete: key });
    this.objects.delete(key);
    this.segments.remove(object.segments);
  }

  createUpload(upload: MultipartUpload): void {
    this.#append({ upload });
    this.#addUpload(upload);
  }

  /** Adds a part; it replaces one with the same number. */
  putPart(open: OpenUpload, part: UploadedPart): void {
    const replaced = open.parts.get(part.partNumber);
    this.#append({ part, of: open.upload.uploadId });
    open.parts.set(part.partNumber, part);
    if (replaced !== undefined) this.segments.remove(replaced.segments);
  }

  abortUpload(open: OpenUpload): void {
    this.#append({ abort: open.upload.uploadId });
    this.uploads.delete(open.upload.uploadId);
    this.segments.remove(segmentsOf(open));
  }

  async close(): Promise<void> {
    await this.segments.settled();
    this.#log.close();
  }

  #addUpload(upload: MultipartUpload): void {
    this.uploads.set(upload.uploadId, { upload, parts: new Map() });
  }

  #append(entry: BucketLogEntry): void {
    // Before the entry is appended: the log is rewritten from memory, which does not contain this change yet.
    this.#rewriteLogIfWorthIt();
    this.#log.append(entry);
  }

  #rewriteLogIfWorthIt(): void {
    if (this.#log.entries < this.#rewriteCheckAtEntries) return;
    let live = this.objects.size;
    for (const { parts } of this.uploads.values()) live += 1 + parts.size;
    if (this.#log.entries > 4 * live) this.#log.rewrite(this.#liveEntries());
    this.#rewriteCheckAtEntries = Math.max(REWRITE_FROM_ENTRIES, 4 * live);
  }

  *#liveEntries(): Generator<BucketLogEntry> {
    for (const object of this.objects.values()) yield { put: object };
    for (const { upload, parts } of this.uploads.values()) {
      yield { upload };
      for (const part of parts.values()) yield { part, of: upload.uploadId };
    }
  }

  *#ownedFiles(): Generator<string> {
    for (const object of this.objects.values()) for (const { file } of object.segments) yield file;
    for (const upload of this.uploads.values()) for (const { file } of segmentsOf(upload)) yield file;
  }
}

function segmentsOf(open: OpenUpload): Segment[] {
  return [...open.parts.values()].flatMap((part) => part.segments);
}
