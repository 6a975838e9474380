import { execFile } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stringify } from 'smol-toml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentFixture, REGION, ROLE_ARN } from './agent-fixture.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

let fixture: AgentFixture;
beforeEach(async () => {
  fixture = await AgentFixture.start();
  await writeConfig('sluice.toml', join(fixture.directory, 'state'));
});
afterEach(() => fixture[Symbol.asyncDispose]());

async function writeConfig(name: string, stateDirectory: string): Promise<void> {
  const config = {
    cluster: { identifier: 'my-db-cluster', region: REGION },
    agent: { state_directory: stateDirectory },
  };
  await writeFile(join(fixture.directory, name), stringify(config));
}

interface Finished {
  status: number;
  stdout: string;
  stderr: string;
}

function sluice(args: string[], config = 'sluice.toml'): Promise<Finished> {
  return new Promise((resolve) => {
    const command = [PROGRAM, ...args, '--config', join(fixture.directory, config)];
    execFile(process.execPath, command, { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('sluice role', () => {
  it('adds, lists and removes roles of the running agent', async () => {
    expect(await sluice(['role', 'list'])).toMatchObject({
      stdout: 'No role is associated with the cluster.\n',
    });
    expect(await sluice(['role', 'add', ROLE_ARN])).toEqual({
      status: 0,
      stdout: `s3Export  ACTIVE   ${ROLE_ARN}\n`,
      stderr: '',
    });
    expect(fixture.agent.roles.list()).toMatchObject([{ roleArn: ROLE_ARN, featureName: 's3Export' }]);
    await sluice(['role', 'add', ROLE_ARN, '--feature-name', 's3Import']);
    const { stdout } = await sluice(['role', 'list', '--json']);
    expect(JSON.parse(stdout)).toEqual([
      { RoleArn: ROLE_ARN, FeatureName: 's3Export', Status: 'ACTIVE' },
      { RoleArn: ROLE_ARN, FeatureName: 's3Import', Status: 'ACTIVE' },
    ]);
    await sluice(['role', 'remove', ROLE_ARN]);
    expect(await sluice(['role', 'remove', ROLE_ARN, '--feature-name', 's3Import', '--json'])).toMatchObject({
      stdout: '[]\n',
    });
  });

  it('says why a role is not ACTIVE', async () => {
    fixture.sts.answer = () => ({ status: 403, code: 'AccessDenied', message: 'not authorized' });
    const { status, stdout } = await sluice(['role', 'add', ROLE_ARN]);
    expect(status).toBe(0);
    expect(stdout).toContain(`s3Export  PENDING  ${ROLE_ARN}\n`);
    expect(stdout).toContain('trust policy');
  });

  it.each([
    [['role', 'add', 'no-arn'], 'not the ARN of an IAM role: "no-arn"', 'HINT:  Give an ARN'],
    [['role', 'add', ROLE_ARN, '--feature-name', 'x'], 'there is no feature "x"', 's3Export'],
    [['role', 'remove', ROLE_ARN], 'is not associated with the cluster', 'sluice role list'],
  ])('refuses %j', async (args, message, hint) => {
    const { status, stdout, stderr } = await sluice(args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });

  it('says when no agent runs', async () => {
    await fixture.agent.stop();
    const { status, stderr } = await sluice(['role', 'list']);
    expect(status).toBe(1);
    expect(stderr).toContain(`no agent answers at "${join(fixture.directory, 'state', 'admin.sock')}"`);
    expect(stderr).toContain('HINT:  Is the agent running');
    await writeConfig('long.toml', `/${'x'.repeat(120)}`);
    expect((await sluice(['role', 'list'], 'long.toml')).stderr).toContain('too long for a socket');
  });
});

describe("the agent's socket for sluice role", () => {
  it('is open to its own user only', async () => {
    const { mode } = await stat(join(fixture.directory, 'state', 'admin.sock'));
    expect(mode & 0o777).toBe(0o600);
  });

  it.each(['not JSON\n', '{"op":"begin"}\n', '{"op":"role-add"}\n', '[]\n'])(
    'answers %j with an error',
    async (line) => {
      const socket = createConnection(join(fixture.directory, 'state', 'admin.sock'));
      socket.write(line);
      expect(JSON.parse(await text(socket))).toMatchObject({ error: { message: 'the Sluice agent failed' } });
    },
  );

  it('ends a connection that sends no line', async () => {
    const socket = createConnection(join(fixture.directory, 'state', 'admin.sock'));
    socket.on('error', () => undefined);
    socket.write('x'.repeat(100_000));
    expect(await text(socket).catch(() => '')).toBe('');
  });

  it('keeps a second agent from the same state', async () => {
    await expect(
      AgentFixture.start({ agent: { state_directory: join(fixture.directory, 'state') } }),
    ).rejects.toMatchObject({ code: 'config_invalid', message: expect.stringContaining('already running') });
  });
});
