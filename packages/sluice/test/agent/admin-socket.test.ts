import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentFixture, STATIC_KEYS } from './agent-fixture.ts';
import { AgentProcess } from './agent-process.ts';

let fixture: AgentFixture;
let agent: AgentProcess;
beforeEach(async () => {
  fixture = await AgentFixture.start({ s3: STATIC_KEYS });
  agent = await AgentProcess.start(fixture);
});
afterEach(async () => {
  await agent[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

describe('a client of the admin socket', () => {
  it.each([
    ['a request', '{"op":"role-list"}\n'],
    [
      'a request that waits',
      '{"op":"role-add","roleArn":"arn:aws:iam::1:role/x","featureName":"s3Export"}\n',
    ],
    ['half a request', '{"op":'],
    ['too long a line', 'x'.repeat(1024 * 1024)],
    ['nothing', ''],
  ])('that sends %s and leaves at once harms nobody', async (_, text) => {
    for (let i = 0; i < 20; i += 1) {
      const socket = createConnection(join(agent.directory, 'state', 'admin.sock'));
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      // The socket is destroyed as soon as the kernel has the text, so that the agent's answer has no receiver.
      socket.write(text, () => socket.destroy());
      await new Promise((resolve) => socket.once('close', resolve));
    }
    await delay(200);
    const connection = await agent.connect();
    expect(await connection.ask({ op: 'ping' })).toMatchObject({ exports: 0 });
    await connection.end();
  });
});
