import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { connectTo } from '../../src/source/connect.ts';
import { copyOut, type CopyOut } from '../../src/source/copy-out.ts';
import { FakePostgres } from './fake-postgres.ts';
import { COPY_DONE, commandComplete, copyOutResponse, errorResponse, message, READY } from './messages.ts';

const ROWS = [copyOutResponse(), message('d', '1\n'), message('d', '2\n')];

/** What becomes of a COPY that a server answers so. */
async function copyFrom(answer: (socket: Socket) => void) {
  await using server = await FakePostgres.start(answer);
  const client = await connectTo({ connectionString: server.url });
  try {
    const copy = copyOut(client, 'COPY t TO STDOUT');
    let error: unknown;
    try {
      for await (const _ of copy);
    } catch (reason) {
      error = reason;
    }
    return {
      error,
      rowCount: copy.rowCount,
      cancels: server.cancels,
      isOpen: !client.connection.stream.destroyed,
    };
  } finally {
    client.connection.stream.destroy();
  }
}

const sends =
  (...messages: Buffer[]) =>
  (socket: Socket): void =>
    void socket.write(Buffer.concat(messages));

it('takes the right answer', async () => {
  expect(await copyFrom(sends(...ROWS, COPY_DONE, commandComplete('COPY 2'), READY))).toEqual({
    error: undefined,
    rowCount: 2n,
    cancels: 0,
    isOpen: true,
  });
});

it.each([
  ['in the middle of a frame', Buffer.concat(ROWS).subarray(0, -1)],
  ['between frames', Buffer.concat(ROWS)],
  ['before the command is complete', Buffer.concat([...ROWS, COPY_DONE])],
  ['before it is ready', Buffer.concat([...ROWS, COPY_DONE, commandComplete('COPY 2')])],
  ['at once', Buffer.alloc(0)],
])('takes no connection that ends for success: %s', async (_, bytes) => {
  const outcome = await copyFrom((socket) => socket.end(bytes));
  expect(outcome).toMatchObject({
    error: { code: 'database_unavailable', retryable: true },
    rowCount: undefined,
    isOpen: false,
  });
});

it.each([
  [
    'another count than there were rows',
    [...ROWS, COPY_DONE, commandComplete('COPY 3'), READY],
    'number of rows',
  ],
  ['no count', [...ROWS, COPY_DONE, commandComplete('COPY'), READY], 'number of rows'],
  ['no command complete', [...ROWS, COPY_DONE, READY], 'did not end'],
  ['ready at once', [READY], 'did not end'],
])('takes no answer with %s', async (_, messages, text) => {
  const { error, rowCount, isOpen } = await copyFrom(sends(...messages));
  expect(error).toMatchObject({ code: 'protocol_violation' });
  expect(String(error)).toContain(text);
  expect([rowCount, isOpen]).toEqual([undefined, true]);
});

it('closes the connection on what is no message', async () => {
  const outcome = await copyFrom(sends(...ROWS, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')));
  expect(outcome).toMatchObject({
    error: { code: 'protocol_violation' },
    rowCount: undefined,
    isOpen: false,
  });
});

it('has the error of an export that fails after its last row', async () => {
  const late = errorResponse({ C: '23503', M: 'deferred' });
  const outcome = await copyFrom(sends(...ROWS, COPY_DONE, late, READY));
  expect(outcome).toMatchObject({
    error: { code: '23503', message: 'deferred' },
    rowCount: undefined,
    isOpen: true,
  });
});

it('closes the connection when nothing follows an error', async () => {
  const outcome = await copyFrom(sends(...ROWS, errorResponse({ C: '22012', M: 'no' })));
  expect(outcome).toMatchObject({
    error: { code: 'database_unavailable', cause: { code: '22012' } },
    isOpen: false,
  });
});

it.each(['that says nothing', 'that sends on'])(
  'closes the connection to a server %s after a cancel',
  async (kind) => {
    let timer: NodeJS.Timeout | undefined;
    await using server = await FakePostgres.start((socket) => {
      socket.write(Buffer.concat(ROWS));
      if (kind === 'that sends on') timer = setInterval(() => socket.write(message('d', '3\n')), 10);
    });
    const client = await connectTo({ connectionString: server.url });
    const copy = copyOut(client, 'COPY t TO STDOUT', { signal: AbortSignal.timeout(100) });
    const ended = (async () => {
      for await (const _ of copy);
    })();
    await expect(ended).rejects.toMatchObject({ name: 'TimeoutError' });
    expect([server.cancels, client.connection.stream.destroyed, copy.rowCount]).toEqual([1, true, undefined]);
    clearInterval(timer);
  },
);

it('ends when its consumer has left in the middle of a frame, once', async () => {
  let socketOfQuery: Socket | undefined;
  await using server = await FakePostgres.start((socket) => {
    socketOfQuery = socket;
    socket.write(Buffer.concat(ROWS.concat(message('d', 'abc'))).subarray(0, -2));
  });
  const client = await connectTo({ connectionString: server.url });
  const copy = copyOut(client, 'COPY t TO STDOUT');
  for await (const chunk of copy) {
    expect(Buffer.from(chunk).toString()).toBe('1\n2\na');
    const ends = Promise.all([copy.end(), copy.end(), returnOf(copy)]);
    await delay(50);
    expect(server.cancels).toBe(1);
    socketOfQuery?.write(
      Buffer.concat([
        Buffer.from('bc'),
        message('d', '4\n'),
        errorResponse({ C: '57014', M: 'cancelled' }),
        READY,
      ]),
    );
    await ends;
    break;
  }
  socketOfQuery = undefined;
  await client.end();
});

it('reads frames of no bytes without end', async () => {
  const empty = Buffer.concat(Array.from({ length: 100_000 }, () => message('d')));
  const outcome = await copyFrom(
    sends(copyOutResponse(), empty, empty, COPY_DONE, commandComplete('COPY 200000'), READY),
  );
  expect(outcome).toMatchObject({ error: undefined, rowCount: 200_000n });
});

async function returnOf(copy: CopyOut): Promise<void> {
  await copy[Symbol.asyncIterator]().return?.();
}
