import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClusterRoles } from '../../src/identity/cluster-roles.ts';
import {
  AgentFixture,
  beginRequest,
  ROLE_ARN,
  STATIC_KEYS,
  type AgentConnection,
  type Answer,
} from './agent-fixture.ts';

const NO_ACCESS = "credentials stored with the database cluster can't be accessed";

let fixture: AgentFixture;
let connection: AgentConnection;

beforeEach(async () => {
  fixture = await AgentFixture.start();
  connection = await fixture.connect();
});
afterEach(async () => {
  await connection.end();
  await fixture.noExportRuns();
  await fixture[Symbol.asyncDispose]();
});

function roles(): ClusterRoles {
  return fixture.agent.roles;
}

/** Exports two rows; the last is written after `lastingMs`. */
async function exportRows(
  on: AgentConnection,
  request = beginRequest(),
  lastingMs = 0,
  rowBytes = 10,
): Promise<Answer> {
  const begun = await on.request(request);
  if (begun.error !== undefined) return begun;
  const pipe = await open(on.pipePath(begun.pipe), 'w');
  const row = `${'x'.repeat(rowBytes - 1)}\n`;
  await pipe.writeFile(row);
  await delay(lastingMs);
  await pipe.writeFile(row);
  await pipe.close();
  // The commit sends the first half of the token; the second half is the agent's receipt.
  return on.request({ op: 'commit', token: begun.token?.slice(0, 32), rows: '2' });
}

describe('an export', () => {
  it('needs a role that is associated for s3Export', async () => {
    expect(await exportRows(connection)).toEqual({
      error: {
        sqlstate: '28000',
        message: NO_ACCESS,
        hint: 'Has the IAM role Amazon Resource Name (ARN) been associated with the feature-name "s3Export"?',
      },
    });
    // The same connection can be used again, for example by an exception handler that exports once more.
    await roles().add(ROLE_ARN, 's3Export');
    expect(await exportRows(connection)).toMatchObject({ state: 'done', files: 1, bytes: 20 });
  });

  it('uploads as the role, in a session that names the cluster and the database role', async () => {
    await roles().add(ROLE_ARN, 's3Export');
    await exportRows(connection);
    expect(fixture.sts.assumed.at(-1)?.parameters.get('RoleSessionName')).toBe('report_user@my-db-cluster');
    const second = await fixture.connect();
    await exportRows(second, beginRequest({ role: 'report_user' }));
    const before = fixture.sts.assumed.length;
    const third = await fixture.connect();
    await exportRows(third, beginRequest({ role: 'two words' }));
    expect(fixture.sts.assumed.length).toBe(before + 1);
    expect(fixture.sts.assumed.at(-1)?.parameters.get('RoleSessionName')).toMatch(/^two-words=/);
    await Promise.all([second.end(), third.end()]);
  });

  it('fails when the role cannot be assumed, and says what to change', async () => {
    await roles().add(ROLE_ARN, 's3Export');
    await roles().known(ROLE_ARN, { timeoutMs: 5_000 });
    fixture.sts.answer = () => ({ status: 403, code: 'AccessDenied', message: 'not authorized' });
    const { error } = await exportRows(connection);
    expect(error).toMatchObject({ sqlstate: '28000', message: NO_ACCESS });
    expect(error?.detail).toContain("AWS STS returned 'not authorized' (AccessDenied)");
    expect(error?.hint).toContain(ROLE_ARN);
    await vi.waitFor(() => expect(roles().list()).toMatchObject([{ status: 'INVALID' }]), 5_000);
  });

  it('goes on with renewed credentials when it lasts longer than the first', async () => {
    fixture.sts.answer = () => ({ lifetimeMs: 1_500 });
    await roles().add(ROLE_ARN, 's3Export');
    // A part is sent at 8 MiB, so requests are sent both before and after the first credentials have expired.
    const answer = await exportRows(connection, beginRequest(), 4_000, 9 * 1024 * 1024);
    expect(answer).toMatchObject({ state: 'done', bytes: 18 * 1024 * 1024 });
    expect(fixture.sts.assumed.length).toBeGreaterThan(2);
  });

  it('is followed by one with other credentials when S3 refused its own', async () => {
    await roles().add(ROLE_ARN, 's3Export');
    await exportRows(connection);
    const before = fixture.sts.assumed.length;
    const second = await fixture.connect();
    fixture.denied.add('s3:PutObject');
    const { error } = await exportRows(second);
    expect(error).toMatchObject({ sqlstate: '58000', message: 'could not upload to Amazon S3' });
    expect(error?.hint).toContain(`The role ${ROLE_ARN} needs s3:PutObject on arn:aws:s3:::exports/file-`);
    expect(fixture.sts.assumed).toHaveLength(before);
    fixture.denied.clear();
    const third = await fixture.connect();
    expect(await exportRows(third)).toMatchObject({ state: 'done' });
    expect(fixture.sts.assumed).toHaveLength(before + 1);
    await Promise.all([second.end(), third.end()]);
  });

  it('needs no role when [s3] has keys', async () => {
    await using other = await AgentFixture.start({ s3: STATIC_KEYS });
    const client = await other.connect();
    expect(await exportRows(client)).toMatchObject({ state: 'done' });
    expect(other.sts.calls).toEqual([]);
    await client.end();
  });
});

describe('a begin that takes long', () => {
  beforeEach(async () => {
    await roles().add(ROLE_ARN, 's3Export');
    await roles().known(ROLE_ARN, { timeoutMs: 5_000 });
    fixture.sts.answer = () => ({ lifetimeMs: 3_600_000, delayMs: 1_300 });
  });

  it('is answered with "pending" in time, and the same one asked again gives the export', async () => {
    const request = beginRequest();
    const startedAt = Date.now();
    expect(await connection.ask(request)).toEqual({ state: 'pending' });
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    expect(await exportRows(connection, request)).toMatchObject({ state: 'done' });
    expect(await connection.ask(request)).toMatchObject({ error: { sqlstate: '08P01' } });
  });

  it('refuses another begin on the same connection', async () => {
    await connection.ask(beginRequest({ filePath: 'one' }));
    expect(await connection.ask(beginRequest({ filePath: 'two' }))).toMatchObject({
      error: { sqlstate: '08P01' },
    });
    expect(await connection.ask({ op: 'abort' })).toEqual({ state: 'aborted' });
  });

  it('is given up with its connection, and nothing stays', async () => {
    const other = await fixture.connect();
    await other.ask(beginRequest());
    await other.end();
    await delay(1_500);
    expect(await fixture.runningExports()).toBe(0);
    expect(fixture.s3Requests.filter(({ operation }) => operation !== 'CreateBucket')).toEqual([]);
  });

  it('counts as an export', async () => {
    await using small = await AgentFixture.start({ agent: { max_exports: 1 } });
    await small.agent.roles.add(ROLE_ARN, 's3Export');
    small.sts.answer = () => ({ lifetimeMs: 3_600_000, delayMs: 1_300 });
    const [one, two] = [await small.connect(), await small.connect()];
    await one.ask(beginRequest());
    expect(await two.ask(beginRequest())).toMatchObject({ error: { sqlstate: '57P03' } });
    await Promise.all([one.end(), two.end()]);
  });

  it('fails when the agent is stopped', async () => {
    const pending = beginRequest();
    await connection.ask(pending);
    const stopped = fixture.agent.stop();
    expect(await connection.ask(pending)).toMatchObject({
      error: { sqlstate: '57P03', message: 'the Sluice agent is shutting down' },
    });
    await stopped;
    await fixture.restart();
    connection = await fixture.connect();
  });
});
