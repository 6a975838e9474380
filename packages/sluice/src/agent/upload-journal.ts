import { createHash } from 'node:crypto';
import { readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makeOwnDirectory } from './own-directory.ts';
import type { UploadJournal } from '../exporter/upload-journal.ts';

const entrySchema = z.object({
  bucket: z.string(),
  key: z.string(),
  region: z.string(),
  /** Missing while S3 was asked to open the upload, and its answer was not noted. */
  uploadId: z.string().optional(),
  /** When S3 was asked, in milliseconds since 1970. */
  askedAt: z.number(),
});

/** A multipart upload that is open, or may be. */
export type JournalEntry = z.output<typeof entrySchema>;

/** What an agent left that was killed; `done` removes it from the journal. */
export interface LeftEntry {
  entry: JournalEntry;
  done: () => Promise<void>;
}

/**
 * The open multipart uploads of an agent, one small file each in its state directory, so that an agent that was killed
 * can abort them when it starts again: S3 keeps, and charges for, the parts of an upload until somebody does.
 */
export class FileUploadJournal {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(stateDirectory: string): Promise<FileUploadJournal> {
    const directory = join(stateDirectory, 'uploads');
    await makeOwnDirectory(directory);
    return new FileUploadJournal(directory);
  }

  /**
   * The journal as one export writes it. An upload that could not be aborted stays in it, for the next start.
   *
   * @param exportId tells apart exports to the same object
   */
  ofExport(
    exportId: number,
    region: string,
    onLeft: (uploadId: string, error: unknown) => void,
  ): UploadJournal {
    const asked = new Map<string, JournalEntry>();
    const pathOf = ({ bucket, key }: { bucket: string; key: string }) =>
      this.#pathOf([process.pid, exportId, bucket, key]);
    return {
      opening: async ({ bucket, key }) => {
        const entry = { bucket, key, region, askedAt: Date.now() };
        asked.set(key, entry);
        await this.#write(pathOf(entry), entry);
      },
      notOpened: async (object) => this.#remove(pathOf(object)),
      opened: async ({ bucket, key, uploadId }) => {
        const askedAt = asked.get(key)?.askedAt ?? Date.now();
        await this.#write(pathOf({ bucket, key }), { bucket, key, region, uploadId, askedAt });
      },
      closed: async (upload) => this.#remove(pathOf(upload)),
      leftOpen: ({ uploadId }, error) => onLeft(uploadId, error),
    };
  }

  /** What an earlier agent left. A file that was being written when it was killed is removed. */
  async left(): Promise<LeftEntry[]> {
    const left: LeftEntry[] = [];
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      if (!name.endsWith('.json')) {
        await unlink(path);
        continue;
      }
      const entry = entrySchema.parse(JSON.parse(await readFile(path, 'utf8')));
      left.push({ entry, done: () => this.#remove(path) });
    }
    return left;
  }

  async #write(path: string, entry: JournalEntry): Promise<void> {
    await writeFile(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async #remove(path: string): Promise<void> {
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }

  #pathOf(identity: readonly unknown[]): string {
    return join(
      this.#directory,
      `${createHash('sha256').update(JSON.stringify(identity)).digest('hex')}.json`,
    );
  }
}
