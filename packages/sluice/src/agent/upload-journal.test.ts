import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UploadJournalDirectory } from './upload-journal.ts';

const PLACE = { bucket: 'sample-bucket', key: 'a/../b', region: 'us-west-2', databaseRole: 'report_user' };

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-journal-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function neverUnreadable(path: string, cause: unknown): never {
  throw new Error(`${path} cannot be read`, { cause });
}

async function leftEntries(): Promise<unknown[]> {
  const journal = await UploadJournalDirectory.open(directory);
  return (await journal.left(neverUnreadable)).map(({ entry }) => entry);
}

describe('UploadJournalDirectory', () => {
  it('keeps an entry, what replaces it, and forgets it in the end', async () => {
    const journal = await UploadJournalDirectory.open(directory);
    const asked = await journal.add({ kind: 'asked', ...PLACE, askedAt: 1 });
    expect(await leftEntries()).toEqual([{ kind: 'asked', ...PLACE, askedAt: 1 }]);
    const upload = await asked.replace({ kind: 'upload', ...PLACE, uploadId: 'id/1' });
    expect(await leftEntries()).toEqual([{ kind: 'upload', ...PLACE, uploadId: 'id/1' }]);
    await upload.remove();
    await upload.remove();
    expect(await leftEntries()).toEqual([]);
  });

  it('tells entries of the same object apart', async () => {
    const journal = await UploadJournalDirectory.open(directory);
    const first = await journal.add({ kind: 'upload', ...PLACE, uploadId: 'id/1' });
    await journal.add({ kind: 'upload', ...PLACE, uploadId: 'id/2' });
    await first.remove();
    expect(await leftEntries()).toMatchObject([{ uploadId: 'id/2' }]);
  });

  it('keeps what is being published', async () => {
    const journal = await UploadJournalDirectory.open(directory);
    const objects = [
      { bucket: 'b', key: 'k', bytes: 3, checksum: 'AAAAAA==', askedAt: 1, etag: '"x"' },
      { bucket: 'b', key: 'k_part2', bytes: 4, askedAt: 2, uploadId: 'id' },
    ];
    const entry = { kind: 'publishing' as const, region: 'us-west-2', databaseRole: 'r', objects };
    await journal.add(entry);
    expect(await leftEntries()).toEqual([entry]);
  });

  it('reads what older agents wrote', async () => {
    await UploadJournalDirectory.open(directory);
    const asked = { bucket: 'b', key: 'k', region: 'us-west-2', askedAt: 1 };
    await writeFile(join(directory, 'uploads', 'x.json'), JSON.stringify(asked));
    expect(await leftEntries()).toEqual([asked]);
    await writeFile(join(directory, 'uploads', 'x.json'), JSON.stringify({ ...asked, uploadId: 'id' }));
    expect(await leftEntries()).toMatchObject([{ uploadId: 'id' }]);
  });

  it('passes over a file that is no entry, tells of it, and leaves it there', async () => {
    const journal = await UploadJournalDirectory.open(directory);
    const path = join(directory, 'uploads', 'bad.json');
    await writeFile(path, '{"bucket": 1}');
    await journal.add({ kind: 'upload', ...PLACE, uploadId: 'id/1' });
    const unreadable: string[] = [];
    expect(await journal.left((file) => unreadable.push(file))).toMatchObject([
      { entry: { uploadId: 'id/1' } },
    ]);
    expect(unreadable).toEqual([path]);
    expect(await readdir(join(directory, 'uploads'))).toContain('bad.json');
  });

  it('says what is wrong when it cannot be written', async () => {
    const journal = await UploadJournalDirectory.open(directory);
    await rm(join(directory, 'uploads'), { recursive: true });
    await expect(journal.add({ kind: 'asked', ...PLACE, askedAt: 1 })).rejects.toMatchObject({
      code: 'agent_unavailable',
      message: 'the Sluice agent cannot write to its state directory',
      detail: 'The operating system says: ENOENT.',
    });
  });

  it('removes a file that was being written when the agent was killed', async () => {
    await UploadJournalDirectory.open(directory);
    await writeFile(join(directory, 'uploads', 'x.json.new'), '{"buck');
    expect(await leftEntries()).toEqual([]);
    expect(await readdir(join(directory, 'uploads'))).toEqual([]);
  });
});
