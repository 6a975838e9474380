import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type pg from 'pg';
import { expect } from 'vitest';
import { BUCKET, type TestStack } from './test-stack.ts';

interface Manifest {
  entries: { url: string; meta: { content_length: number; record_count: number }; table: string }[];
  tables: { name: string; record_count: number; files: number }[];
}

/**
 * Expects that the files below a prefix hold every row of these tables once, that the manifest names them and nothing
 * else is there, as text of COPY.
 */
export async function expectExported(
  testStack: TestStack,
  session: pg.Client,
  { prefix, tables }: { prefix: string; tables: readonly string[] },
): Promise<Manifest> {
  const keys = (await testStack.keys(prefix)).toSorted();
  const manifest = JSON.parse((await testStack.object(`${prefix}manifest.json`)).toString()) as Manifest;
  const named = manifest.entries.map(({ url }) => url.replace(`s3://${BUCKET}/`, ''));
  expect([...named, `${prefix}manifest.json`].toSorted()).toEqual(keys);
  expect(manifest.tables.map(({ name }) => name).toSorted()).toEqual([...tables].toSorted());
  for (const table of tables) {
    const entries = manifest.entries.filter((entry) => entry.table === table);
    const files = await Promise.all(
      entries.map(({ url }) => testStack.object(url.replace(`s3://${BUCKET}/`, ''))),
    );
    for (const [index, { meta }] of entries.entries()) expect(files[index]?.length).toBe(meta.content_length);
    const lines = files.flatMap((file) => file.toString().split('\n').slice(0, -1)).toSorted();
    const copied = (await testStack.copy(session, `SELECT * FROM ${table}`))
      .toString()
      .split('\n')
      .slice(0, -1);
    // Not toEqual on all lines: what it prints of a difference would be of no use.
    expect(lines.length).toBe(copied.length);
    expect(lines.join('\n') === copied.toSorted().join('\n'), `the rows of ${table}`).toBe(true);
    const counted = entries.reduce((sum, { meta }) => sum + meta.record_count, 0);
    expect(counted).toBe(copied.length);
    expect(manifest.tables.find(({ name }) => name === table)).toMatchObject({
      record_count: copied.length,
      files: entries.length,
    });
  }
  return manifest;
}

export async function openUploads(testStack: TestStack): Promise<string[]> {
  const { Uploads = [] } = await testStack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  return Uploads.map(({ Key = '' }) => Key);
}
