import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a fake agent does with a request: sends an answer as JSON, sends raw bytes, or nothing. */
export type FakeAnswer = { json: unknown } | { bytes: Buffer } | 'silence' | 'hang up';

export interface FakeRequest {
  op: string;
  [field: string]: unknown;
}

export interface FakeAgentOptions {
  answer: (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer>;
  /** Listens on TCP and asks for a password. For ordinary roles dblink requires that of a server. */
  asksForPassword?: boolean;
}

/** An agent that answers what a test wants, over the protocol of the real one. */
export class FakeAgent implements AsyncDisposable {
  /** The value for the host option of the server sluice_agent. */
  readonly directory: string;
  readonly requests: FakeRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(directory: string, server: Server) {
    this.directory = directory;
    this.#server = server;
  }

  static async start({ answer, asksForPassword = false }: FakeAgentOptions): Promise<FakeAgent> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-fake-'));
    await mkdir(join(directory, 'pipes'));
    // PostgreSQL may run as another user.
    await chmod(directory, 0o777);
    await chmod(join(directory, 'pipes'), 0o777);
    const server = createServer();
    const agent = new FakeAgent(directory, server);
    server.on('connection', (socket) => {
      agent.#sockets.add(socket);
      socket.once('close', () => agent.#sockets.delete(socket));
      socket.on('error', () => undefined);
      serve(socket, asksForPassword, async (request) => {
        agent.requests.push(request);
        return answer(request);
      }).catch(() => socket.destroy());
    });
    if (asksForPassword) server.listen(0, '127.0.0.1');
    else server.listen(join(directory, '.s.PGSQL.5432'));
    await once(server, 'listening');
    if (!asksForPassword) await chmod(join(directory, '.s.PGSQL.5432'), 0o777);
    return agent;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A message of PostgreSQL's protocol. */
export function message(tag: string, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(tag, 'latin1');
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

/** Rows of text values, each an array of columns, and CommandComplete. */
export function rows(...values: readonly (readonly string[])[]): Buffer {
  const int16 = (n: number) => Buffer.from([n >> 8, n & 255]);
  const int32 = (n: number) => {
    const buffer = Buffer.alloc(4);
    buffer.writeInt32BE(n);
    return buffer;
  };
  const column = Buffer.concat([
    Buffer.from('answer\0'),
    int32(0),
    int16(0),
    int32(25),
    int16(65535),
    int32(-1),
    int16(0),
  ]);
  const columns = values[0] ?? ['x'];
  return Buffer.concat([
    message('T', Buffer.concat([int16(columns.length), ...columns.map(() => column)])),
    ...values.map((row) =>
      message(
        'D',
        Buffer.concat([
          int16(row.length),
          ...row.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]),
        ]),
      ),
    ),
    message('C', `SELECT ${values.length}\0`),
    message('Z', 'I'),
  ]);
}

async function serve(
  socket: Socket,
  asksForPassword: boolean,
  answer: (request: FakeRequest) => Promise<FakeAnswer>,
): Promise<void> {
  const ready = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', 'I')]);
  let pending = Buffer.alloc(0);
  let isStarted = false;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const offset = isStarted ? 1 : 0;
      if (pending.length < offset + 4 || pending.length < offset + pending.readInt32BE(offset)) break;
      const end = offset + pending.readInt32BE(offset);
      const tag = isStarted ? pending.toString('latin1', 0, 1) : 'startup';
      const body = pending.subarray(offset + 4, end);
      pending = pending.subarray(end);
      if (tag === 'startup') {
        // Requests for encryption may come before the startup message.
        if (body.readInt32BE(0) >>> 16 !== 3) socket.write('N');
        else {
          isStarted = true;
          socket.write(asksForPassword ? message('R', Buffer.from([0, 0, 0, 3])) : ready);
        }
      } else if (tag === 'p') socket.write(ready);
      else if (tag === 'Q') {
        const text = body.toString('utf8', 0, body.length - 1);
        const hex = /^sluice 2 ([0-9a-f]+)$/.exec(text)?.[1];
        if (hex === undefined) {
          socket.write(Buffer.concat([message('C', 'SET\0'), message('Z', 'I')]));
          continue;
        }
        const given = await answer(JSON.parse(Buffer.from(hex, 'hex').toString()) as FakeRequest);
        if (given === 'hang up') return void socket.destroy();
        if (given === 'silence') continue;
        socket.write(
          'bytes' in given ? given.bytes : rows([Buffer.from(JSON.stringify(given.json)).toString('hex')]),
        );
      } else if (tag === 'X') return void socket.end();
    }
  }
}
