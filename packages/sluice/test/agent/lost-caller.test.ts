import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { S3Client, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../exporter/fault-proxy.ts';
import { eventually } from '../exporter/sources.ts';
import {
  AgentFixture,
  beginRequest,
  BUCKET,
  REGION,
  STATIC_KEYS,
  type AgentConnection,
} from './agent-fixture.ts';

const PUT_OBJECT = /^PUT (?!.*partNumber).*\/rows/;

let fixture: AgentFixture;
let proxy: FaultProxy;
let client: S3Client;

beforeEach(async () => {
  fixture = await AgentFixture.start(
    { s3: STATIC_KEYS },
    {
      throughS3: async (endpoint) => {
        proxy = await startFaultProxy(endpoint);
        return proxy.endpoint;
      },
    },
  );
  client = new S3Client({
    endpoint: proxy.endpoint,
    region: REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: STATIC_KEYS.access_key_id, secretAccessKey: STATIC_KEYS.secret_access_key },
  });
});
afterEach(async () => {
  client.destroy();
  await fixture[Symbol.asyncDispose]();
  await proxy.close();
});

async function keys(): Promise<(string | undefined)[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  return Contents.map(({ Key }) => Key);
}

/** Runs an export up to its commit, and gives the request of the commit. */
async function exportRows(on: AgentConnection): Promise<object> {
  const begun = await on.request(beginRequest({ filePath: 'rows' }));
  const pipe = await open(on.pipePath(begun.pipe), 'w');
  await pipe.writeFile('row\n');
  await pipe.close();
  return { op: 'commit', token: begun.token?.slice(0, 32), rows: '1' };
}

describe('a caller who is gone while its export is published', () => {
  it('leaves nothing, also when S3 stores the object later', async () => {
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    proxy.inject(PUT_OBJECT, { do: 'hold', until }, 1);
    const connection = await fixture.connect();
    const commit = await exportRows(connection);
    const asked = connection.ask(commit).catch(() => undefined);
    await eventually(() => proxy.seen.some((line) => PUT_OBJECT.test(line)));
    await connection.end();
    await asked;
    await fixture.noExportRuns();
    release();
    await eventually(async () => (await keys()).length === 1);
    await eventually(async () => (await keys()).length === 0, 10_000);
    expect(proxy.seen.filter((line) => PUT_OBJECT.test(line))).toHaveLength(1);
  });

  it('leaves nothing when the object is there, but the answer was not asked for', async () => {
    const connection = await fixture.connect();
    const commit = await exportRows(connection);
    proxy.inject(PUT_OBJECT, { do: 'slow', bytesPerSecond: 5 });
    expect(await connection.ask(commit)).toEqual({ state: 'pending' });
    await eventually(async () => (await keys()).length === 1);
    await connection.end();
    await fixture.noExportRuns();
    expect(await keys()).toEqual([]);
  });

  it('is noticed while it waits for an answer', async () => {
    const connection = await fixture.connect();
    const commit = await exportRows(connection);
    // The PutObject takes 400 ms, less than the agent's 500 ms, so the first commit would already be answered with
    // success.
    proxy.inject(PUT_OBJECT, { do: 'slow', bytesPerSecond: 10 });
    const asked = connection.ask(commit).catch(() => undefined);
    await delay(100);
    await connection.end();
    await asked;
    await fixture.noExportRuns();
    await delay(500);
    expect(await keys()).toEqual([]);
  });

  it('is no reason to be silent about what is left, or not known', async () => {
    fixture.denied.add('s3:GetObject');
    proxy.inject(PUT_OBJECT, { do: 'stall', reading: true });
    const connection = await fixture.connect();
    const commit = await exportRows(connection);
    expect(await connection.ask(commit)).toEqual({ state: 'pending' });
    await connection.end();
    await fixture.noExportRuns();
    expect(fixture.logged.map(({ err }) => err?.hint)).toContain(
      `Whether s3://${BUCKET}/rows was stored is not known: that needs s3:GetObject.`,
    );
  });

  it('keeps what it was told of', async () => {
    const connection = await fixture.connect();
    expect(await connection.request(await exportRows(connection))).toMatchObject({ state: 'done' });
    await connection.end();
    await fixture.noExportRuns();
    expect(await keys()).toEqual(['rows']);
  });
});
