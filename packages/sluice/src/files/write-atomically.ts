import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file as a whole, readable by our user only. After a crash or a power cut it holds the old text or the new
 * one. Two calls for one path must not overlap.
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // Failing to remove the temporary file must not hide the first error; the next call overwrites that file.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  // A rename is durable only after the directory is synced.
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
