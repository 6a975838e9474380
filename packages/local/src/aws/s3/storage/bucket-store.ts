import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { LocalError } from '../../../errors.ts';
import { Bucket, type BucketDescription } from './bucket.ts';

const descriptionFile = z.object({ name: z.string(), region: z.string(), createdAt: z.number() });

/** The first character of entries that are being created or deleted. No bucket name begins with it. */
const UNFINISHED = '.';

/**
 * The buckets, one directory each. Buckets are created and deleted by a rename, so that a killed server leaves a whole
 * bucket or none.
 */
export class BucketStore {
  readonly #directory: string;
  readonly #buckets = new Map<string, Bucket>();
  readonly #beingMade = new Set<string>();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(
    directory: string,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<BucketStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const store = new BucketStore(directory);
    for (const name of await readdir(directory)) {
      options.signal?.throwIfAborted();
      const bucketDirectory = path.join(directory, name);
      if (name.startsWith(UNFINISHED)) await rm(bucketDirectory, { recursive: true, force: true });
      else
        store.#buckets.set(name, await Bucket.open(bucketDirectory, await readDescription(bucketDirectory)));
    }
    return store;
  }

  get(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  /** Ordered by name. */
  list(): Bucket[] {
    return [...this.#buckets.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Creates a bucket, whose name must be valid. Undefined when there is one of that name. */
  async create(description: BucketDescription): Promise<Bucket | undefined> {
    const { name } = description;
    if (this.#buckets.has(name) || this.#beingMade.has(name)) return undefined;
    this.#beingMade.add(name);
    try {
      const unfinished = this.#unfinishedPath();
      await mkdir(path.join(unfinished, 'data'), { recursive: true, mode: 0o700 });
      await writeFile(path.join(unfinished, 'bucket.json'), JSON.stringify(description), { mode: 0o600 });
      await rename(unfinished, path.join(this.#directory, name));
      const bucket = await Bucket.open(path.join(this.#directory, name), description);
      this.#buckets.set(name, bucket);
      return bucket;
    } finally {
      this.#beingMade.delete(name);
    }
  }

  /** Removes a bucket with everything in it. */
  async delete(bucket: Bucket): Promise<void> {
    this.#buckets.delete(bucket.name);
    this.#beingMade.add(bucket.name);
    const unfinished = this.#unfinishedPath();
    try {
      await rename(path.join(this.#directory, bucket.name), unfinished);
      await bucket.close();
    } finally {
      this.#beingMade.delete(bucket.name);
    }
    await rm(unfinished, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#buckets.values()].map((bucket) => bucket.close()));
  }

  #unfinishedPath(): string {
    return path.join(this.#directory, `${UNFINISHED}${randomBytes(8).toString('hex')}`);
  }
}

async function readDescription(directory: string): Promise<BucketDescription> {
  const file = path.join(directory, 'bucket.json');
  try {
    return descriptionFile.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw new LocalError('directory_unusable', `${file} does not describe a bucket`, {
      cause: error,
      hint: 'Remove the state directory to start with an empty S3.',
    });
  }
}
