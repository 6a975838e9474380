import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.ts';
import { journalEntrySchema, type JournalEntry } from '../clean-up/journal-entry.ts';
import type { JournalNote, JournalStore } from '../clean-up/journal-store.ts';
import { makeOwnDirectory } from './own-directory.ts';

/**
 * What an agent is doing at S3, one small file for each entry, in its state directory. If the agent is killed, the next
 * one reads them and cleans up: S3 keeps, and charges for, the parts of an upload until it is aborted.
 */
export class UploadJournalDirectory implements JournalStore {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(stateDirectory: string): Promise<UploadJournalDirectory> {
    const directory = join(stateDirectory, 'uploads');
    await makeOwnDirectory(directory);
    return new UploadJournalDirectory(directory);
  }

  async add<T extends JournalEntry>(entry: T): Promise<JournalNote<T>> {
    return this.#write(join(this.#directory, `${randomUUID()}.json`), entry);
  }

  /**
   * The entries of an earlier agent. A file that it had not finished writing is removed.
   *
   * @param onUnreadable called for each file that can't be read as an entry; the file stays
   */
  async left(onUnreadable: (path: string, error: unknown) => void): Promise<JournalNote[]> {
    const left: JournalNote[] = [];
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      if (!name.endsWith('.json')) {
        await unlink(path);
        continue;
      }
      try {
        const entry = journalEntrySchema.parse(JSON.parse(await readFile(path, 'utf8')));
        left.push(this.#note(path, entry));
      } catch (error) {
        onUnreadable(path, error);
      }
    }
    return left;
  }

  async #write<T extends JournalEntry>(path: string, entry: T): Promise<JournalNote<T>> {
    try {
      await writeFile(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
      await rename(`${path}.new`, path);
    } catch (error) {
      throw new SluiceError('agent_unavailable', 'the Sluice agent cannot write to its state directory', {
        detail: `The operating system says: ${errnoOf(error) ?? String(error)}.`,
        hint: 'Look at agent.state_directory in sluice.toml: is it there, does it belong to the agent, is its disk full?',
        cause: error,
      });
    }
    return this.#note(path, entry);
  }

  #note<T extends JournalEntry>(path: string, entry: T): JournalNote<T> {
    return {
      entry,
      replace: (next) => this.#write(path, next),
      remove: () => removeFile(path),
    };
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
