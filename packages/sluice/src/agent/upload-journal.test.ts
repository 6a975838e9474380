import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileUploadJournal } from './upload-journal.ts';

const OBJECT = { bucket: 'sample-bucket', key: 'a/../b' };
const UPLOAD = { ...OBJECT, uploadId: 'id/1' };

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-journal-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function leftEntries(): Promise<unknown[]> {
  const journal = await FileUploadJournal.open(directory);
  return (await journal.left()).map(({ entry }) => entry);
}

describe('FileUploadJournal', () => {
  it('knows an upload from the moment before S3 is asked to the end', async () => {
    const journal = (await FileUploadJournal.open(directory)).ofExport(1, 'us-west-2', () => undefined);
    const before = Date.now();
    await journal.opening?.(OBJECT);
    expect(await leftEntries()).toEqual([
      { ...OBJECT, region: 'us-west-2', askedAt: expect.closeTo(before, -4) as unknown },
    ]);
    await journal.opened(UPLOAD);
    expect(await leftEntries()).toMatchObject([{ ...UPLOAD, region: 'us-west-2' }]);
    await journal.closed(UPLOAD);
    expect(await leftEntries()).toEqual([]);
  });

  it('forgets what S3 did not open', async () => {
    const journal = (await FileUploadJournal.open(directory)).ofExport(1, 'us-west-2', () => undefined);
    await journal.opening?.(OBJECT);
    await journal.notOpened?.(OBJECT);
    expect(await leftEntries()).toEqual([]);
  });

  it('tells exports to the same object apart', async () => {
    const files = await FileUploadJournal.open(directory);
    await files.ofExport(1, 'us-west-2', () => undefined).opened(UPLOAD);
    await files.ofExport(2, 'us-west-2', () => undefined).opened({ ...UPLOAD, uploadId: 'id/2' });
    await files.ofExport(1, 'us-west-2', () => undefined).closed(UPLOAD);
    expect(await leftEntries()).toMatchObject([{ uploadId: 'id/2' }]);
  });

  it('removes a file that was being written when the agent was killed', async () => {
    await FileUploadJournal.open(directory);
    await writeFile(join(directory, 'uploads', 'x.json.new'), '{"buck');
    expect(await leftEntries()).toEqual([]);
    expect(await readdir(join(directory, 'uploads'))).toEqual([]);
  });
});
