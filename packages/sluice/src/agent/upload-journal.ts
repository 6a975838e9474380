import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { UploadJournal } from '../exporter/upload-journal.ts';

const entrySchema = z.object({
  bucket: z.string(),
  key: z.string(),
  uploadId: z.string(),
  region: z.string(),
});

/** A multipart upload that is open. */
export type OpenUpload = z.output<typeof entrySchema>;

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
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new FileUploadJournal(directory);
  }

  /** The journal as one export writes it. An upload that could not be aborted stays in it, for the next start. */
  inRegion(region: string, onLeft: (upload: OpenUpload, error: unknown) => void): UploadJournal {
    return {
      opened: (upload) => this.opened({ ...upload, region }),
      closed: (upload) => this.closed({ ...upload, region }),
      leftOpen: (upload, error) => onLeft({ ...upload, region }, error),
    };
  }

  async opened(upload: OpenUpload): Promise<void> {
    const path = this.#pathOf(upload);
    await writeFile(`${path}.new`, JSON.stringify(upload), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async closed(upload: OpenUpload): Promise<void> {
    await unlink(this.#pathOf(upload)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }

  /** What an earlier agent left open. A file that was being written when it was killed is removed. */
  async left(): Promise<OpenUpload[]> {
    const uploads: OpenUpload[] = [];
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      if (name.endsWith('.json')) uploads.push(entrySchema.parse(JSON.parse(await readFile(path, 'utf8'))));
      else await unlink(path);
    }
    return uploads;
  }

  #pathOf({ bucket, key, uploadId }: OpenUpload): string {
    const name = createHash('sha256').update(JSON.stringify([bucket, key, uploadId])).digest('hex');
    return join(this.#directory, `${name}.json`);
  }
}
