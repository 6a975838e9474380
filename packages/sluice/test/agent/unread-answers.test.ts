import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AgentFixture } from './agent-fixture.ts';

const STARTUP = Buffer.from('\0\0\0\x15\0\x03\0\0user\0sluice\0\0', 'latin1');
const PINGS = 40_000;
const STABLE_MS = 1_500;

function ping(): Buffer {
  const body = Buffer.from(`sluice 2 ${Buffer.from('{"op":"ping"}').toString('hex')}\0`);
  const head = Buffer.alloc(5);
  head.write('Q');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

it('a client that reads no answers gets no more of them than the operating system holds', async () => {
  await using fixture = await AgentFixture.start();
  const socket = createConnection(join(fixture.directory, 'run', '.s.PGSQL.5432'));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(STARTUP);
  for (let sent = 0; sent < PINGS; sent += 1) socket.write(ping());
  // The agent stops reading when its answers are not taken, so the amount of unsent data stops changing.
  let waiting = -1;
  while (waiting !== socket.writableLength) {
    waiting = socket.writableLength;
    await delay(STABLE_MS);
  }
  expect(waiting).toBeGreaterThan(0);
  expect(await fixture.runningExports()).toBe(0);
  socket.destroy();
}, 60_000);
