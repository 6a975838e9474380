import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AssumeRoleError } from '../../src/identity/assume-role-error.ts';
import { baseCredentials } from '../../src/identity/base-credentials.ts';
import { RoleCredentials } from '../../src/identity/role-credentials.ts';
import { Sts, type StsOptions } from '../../src/identity/sts.ts';
import { CALLER_ARN, FakeSts } from './fake-sts.ts';

const ROLE_ARN = 'arn:aws:iam::123456789012:role/export';
const SESSION = { roleArn: ROLE_ARN, sessionName: 'report_user@my-db-cluster' };

let fake: FakeSts;
let sts: Sts;
let outcomes: (AssumeRoleError | undefined)[];

beforeEach(async () => {
  fake = await FakeSts.start();
  outcomes = [];
});
afterEach(async () => {
  await sts.close();
  await fake[Symbol.asyncDispose]();
});

function roleCredentials(options: Partial<StsOptions> & { externalId?: string } = {}): RoleCredentials {
  const { externalId, ...stsOptions } = options;
  sts = new Sts({
    region: 'us-west-2',
    endpoint: fake.endpoint,
    credentials: () => Promise.resolve({ accessKeyId: 'AKIABASE', secretAccessKey: 'secret' }),
    ...stsOptions,
  });
  return new RoleCredentials({
    sts,
    durationMs: 3_600_000,
    externalId,
    onAssumed: (_roleArn, error) => outcomes.push(error),
  });
}

function failure(credentials: RoleCredentials): Promise<AssumeRoleError> {
  return credentials.get(SESSION).then(
    () => Promise.reject(new Error('the role was assumed')),
    (error: AssumeRoleError) => error,
  );
}

describe('RoleCredentials', () => {
  it('assumes the role with the session name, the duration and the external ID', async () => {
    const credentials = roleCredentials({ externalId: 'for-us' });
    expect(await credentials.get(SESSION)).toMatchObject({ accessKeyId: 'ASIA1', sessionToken: 'token1' });
    const [call] = fake.assumed;
    expect(call?.accessKeyId).toBe('AKIABASE');
    expect(Object.fromEntries(call?.parameters ?? [])).toMatchObject({
      RoleArn: ROLE_ARN,
      RoleSessionName: 'report_user@my-db-cluster',
      DurationSeconds: '3600',
      ExternalId: 'for-us',
    });
    expect(outcomes).toEqual([undefined]);
  });

  it('asks once for all that ask at the same time, and keeps what it is given', async () => {
    const credentials = roleCredentials();
    fake.answer = () => ({ lifetimeMs: 3_600_000, delayMs: 50 });
    const given = await Promise.all(Array.from({ length: 20 }, () => credentials.get(SESSION)));
    expect(new Set(given.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['ASIA1']));
    await credentials.get(SESSION);
    expect(fake.assumed).toHaveLength(1);
    await credentials.get({ ...SESSION, sessionName: 'another@my-db-cluster' });
    expect(fake.assumed).toHaveLength(2);
  });

  it('ends the waiting of one whose signal is aborted, and of no other', async () => {
    const credentials = roleCredentials();
    fake.answer = () => ({ lifetimeMs: 3_600_000, delayMs: 100 });
    const patient = credentials.get(SESSION);
    const reason = new Error('no longer');
    await expect(credentials.get(SESSION, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const hurry = new AbortController();
    const impatient = credentials.get(SESSION, { signal: hurry.signal });
    hurry.abort(reason);
    await expect(impatient).rejects.toBe(reason);
    expect((await patient).accessKeyId).toBe('ASIA1');
    expect(fake.assumed).toHaveLength(1);
  });

  it('renews before the end in the background, and waits for new ones only near it', async () => {
    const credentials = roleCredentials();
    fake.answer = () => ({ lifetimeMs: 1_000 });
    expect((await credentials.get(SESSION)).accessKeyId).toBe('ASIA1');
    await delay(600);
    // After half of their lifetime they are still valid, and are renewed in the background.
    expect((await credentials.get(SESSION)).accessKeyId).toBe('ASIA1');
    await delay(100);
    expect((await credentials.get(SESSION)).accessKeyId).toBe('ASIA2');
    await delay(950);
    expect((await credentials.get(SESSION)).accessKeyId).toBe('ASIA3');
  });

  it('goes on with what it has while a renewal fails, until that has ended', async () => {
    const credentials = roleCredentials();
    fake.answer = (_call, number) =>
      number === 1 ? { lifetimeMs: 1_000 } : { status: 400, code: 'ValidationError', message: 'no more' };
    await credentials.get(SESSION);
    await delay(600);
    await credentials.get(SESSION);
    await delay(100);
    expect((await credentials.get(SESSION)).accessKeyId).toBe('ASIA1');
    // The failed renewal is not repeated for each part of an export.
    expect(fake.assumed).toHaveLength(2);
    await delay(400);
    expect((await failure(credentials)).failure).toBe('other');
  });

  it('gives others when those that it gave were refused, once for all that say so', async () => {
    const credentials = roleCredentials();
    await credentials.get(SESSION);
    await delay(1_050);
    const given = await Promise.all(
      Array.from({ length: 8 }, () => credentials.get(SESSION, { forceRefresh: true })),
    );
    expect(new Set(given.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['ASIA2']));
    expect((await credentials.get(SESSION, { forceRefresh: true })).accessKeyId).toBe('ASIA2');
    credentials.forget(SESSION);
    expect((await credentials.get(SESSION)).accessKeyId).toBe('ASIA3');
    credentials.forgetRole(ROLE_ARN);
    expect((await credentials.get(SESSION)).accessKeyId).toBe('ASIA4');
  });

  it('has one more try when its own credentials have expired: their source may have newer ones', async () => {
    let number = 0;
    const credentials = roleCredentials({
      credentials: ({ forceRefresh } = {}) => {
        if (forceRefresh === true) number += 1;
        return Promise.resolve({ accessKeyId: `AKIABASE${number}`, secretAccessKey: 'secret' });
      },
    });
    fake.answer = ({ accessKeyId }) =>
      accessKeyId === 'AKIABASE0'
        ? {
            status: 400,
            code: 'ExpiredToken',
            message: 'The security token included in the request is expired',
          }
        : { lifetimeMs: 3_600_000 };
    expect((await credentials.get(SESSION)).accessKeyId).toBe('ASIA2');
  });

  it.each([
    [
      'SignatureDoesNotMatch',
      'Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z (less 15 min.)',
    ],
    ['RequestExpired', 'Request has expired'],
  ])('has one more try when the clock was wrong and has been set (%s)', async (code, message) => {
    const credentials = roleCredentials();
    fake.answer = (_call, number) =>
      number === 1 ? { status: 403, code, message } : { lifetimeMs: 3_600_000 };
    expect((await credentials.get(SESSION)).accessKeyId).toBe('ASIA2');
  });

  it('ends what is under way when it is closed', async () => {
    const credentials = roleCredentials();
    fake.answer = () => 'hang';
    const waiting = credentials.get(SESSION);
    await delay(100);
    credentials.close();
    await expect(waiting).rejects.toThrow('the agent is shutting down');
    expect(outcomes).toEqual([]);
  });
});

describe('a role that cannot be assumed', () => {
  const MESSAGE = "credentials stored with the database cluster can't be accessed";

  it.each([
    [
      { status: 403, code: 'AccessDenied', message: 'User: x is not authorized to perform: sts:AssumeRole' },
      'denied',
      [
        ROLE_ARN,
        'trust policy',
        'arn:aws:iam::123456789012:role/db-host',
        'rds.amazonaws.com',
        'sts:AssumeRole',
      ],
    ],
    [
      {
        status: 403,
        code: 'InvalidClientTokenId',
        message: 'The security token included in the request is invalid.',
      },
      'unknown-base-credentials',
      [ROLE_ARN, 'not known', '[aws]'],
    ],
    [
      {
        status: 403,
        code: 'SignatureDoesNotMatch',
        message: 'The request signature we calculated does not match',
      },
      'unknown-base-credentials',
      [ROLE_ARN],
    ],
    [
      {
        status: 403,
        code: 'SignatureDoesNotMatch',
        message: 'Signature expired: 2020 is now earlier than 2021',
      },
      'clock-skew',
      [ROLE_ARN, 'clock', 'NTP'],
    ],
    [
      { status: 400, code: 'ExpiredToken', message: 'The security token included in the request is expired' },
      'expired-base-credentials',
      [ROLE_ARN, 'session_token'],
    ],
    [
      {
        status: 400,
        code: 'ValidationError',
        message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      },
      'duration',
      [ROLE_ARN, 'role_session_duration'],
    ],
    [
      { status: 403, code: 'RegionDisabledException', message: 'STS is not activated in this region' },
      'region-disabled',
      [ROLE_ARN, 'sts_endpoint'],
    ],
    [{ status: 503, code: 'ServiceUnavailable', message: 'later' }, 'unavailable', [ROLE_ARN, 'later']],
    [{ status: 400, code: 'SomethingNew', message: 'of the future' }, 'other', [ROLE_ARN]],
  ] as const)('%j', async (answer, kind, words) => {
    const credentials = roleCredentials();
    fake.answer = () => answer;
    const error = await failure(credentials);
    expect(error).toMatchObject({
      code: 'credentials_unavailable',
      message: MESSAGE,
      failure: kind,
      stsCode: answer.code,
    });
    expect(error.detail).toBe(
      `The role ${ROLE_ARN} could not be assumed: AWS STS returned '${answer.message}' (${answer.code}).`,
    );
    for (const word of words) expect(error.hint).toContain(word);
    expect(outcomes.at(-1)).toBe(error);
    expect(CALLER_ARN).toContain('db-host');
  });

  it('an STS that nothing listens at', async () => {
    const credentials = roleCredentials({ endpoint: 'http://127.0.0.1:9' });
    const error = await failure(credentials);
    expect(error).toMatchObject({ message: MESSAGE, failure: 'unreachable', retryable: true });
    expect(error.detail).toContain('ECONNREFUSED');
    expect(error.hint).toContain('http://127.0.0.1:9');
    expect(error.hint).toContain(ROLE_ARN);
  });

  it('an STS that breaks the connection', async () => {
    const credentials = roleCredentials();
    fake.answer = () => 'reset';
    expect(await failure(credentials)).toMatchObject({ message: MESSAGE, failure: 'unreachable' });
  });

  it('base credentials that are nowhere', async () => {
    const credentials = roleCredentials({
      credentials: baseCredentials({ region: 'us-west-2', profile: 'no-such-profile' }),
    });
    const error = await failure(credentials);
    expect(error).toMatchObject({ message: MESSAGE, failure: 'no-base-credentials', retryable: false });
    expect(error.hint).toContain('[aws]');
    expect(fake.calls).toEqual([]);
  });
});
