import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseError } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  startTemporaryPostgres,
  type TemporaryPostgres,
} from '../../../local/src/postgres/temporary-postgres.ts';
import { connectTo } from '../../src/source/connect.ts';
import { copyOut, type CopyOut } from '../../src/source/copy-out.ts';
import type { SourceClient } from '../../src/source/source-client.ts';
import { eventually } from '../exporter/sources.ts';

describe.each([14, 18] as const)('PostgreSQL %s', (major) => {
  let server: TemporaryPostgres;
  let client: SourceClient;
  let other: SourceClient;
  let listenersBefore: number[];

  beforeAll(async () => {
    server = await startTemporaryPostgres({ major });
    other = await connectTo({ connectionString: server.url });
    await other.query(`
      CREATE TABLE item AS SELECT n AS id, repeat('x', n % 200) AS pad FROM generate_series(1, 20000) AS n;
      CREATE FUNCTION says(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        RAISE NOTICE 'at %', n;
        PERFORM set_config('application_name', 'at ' || n, false);
        RETURN n;
      END $$;
      CREATE FUNCTION fails(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        IF n = 15000 THEN
          RAISE EXCEPTION 'not this one' USING ERRCODE = '22012', DETAIL = 'The detail.', HINT = 'The hint.';
        END IF;
        RETURN n;
      END $$;`);
  });
  afterAll(async () => {
    await other?.end();
    await server?.stop();
  });
  beforeEach(async () => {
    client = await connectTo({ connectionString: server.url });
    listenersBefore = listenersOf(client);
  });
  afterEach(async () => {
    await client.end();
  });

  async function expectUsable(): Promise<void> {
    expect(listenersOf(client)).toEqual(listenersBefore);
    const { rows } = await client.query<{ x: number }>('SELECT 42 AS x');
    expect(rows).toEqual([{ x: 42 }]);
  }

  it.each([
    ['COPY item TO STDOUT', 20_000n],
    ['COPY item TO STDOUT WITH (FORMAT csv, FORCE_QUOTE *)', 20_000n],
    ['COPY item TO STDOUT WITH (FORMAT binary)', 20_000n],
    ['COPY (SELECT * FROM item WHERE false) TO STDOUT', 0n],
    ['COPY (SELECT * FROM item WHERE false) TO STDOUT WITH (FORMAT binary)', 0n],
    ['COPY (SELECT FROM item LIMIT 3) TO STDOUT', 3n],
    ['COPY (SELECT FROM item LIMIT 3) TO STDOUT WITH (FORMAT binary)', 3n],
  ])('gives what COPY writes to a file, and counts it: %s', async (sql, rows) => {
    const copy = copyOut(client, sql);
    const bytes = await collect(copy);
    const path = `${server.directory}/socket/out`;
    await other.query(sql.replace('STDOUT', `'${path}'`));
    const written = await other.query<{ bytes: Buffer }>('SELECT pg_read_binary_file($1) AS bytes', [path]);
    expect(bytes.equals(written.rows[0]?.bytes ?? Buffer.alloc(0))).toBe(true);
    expect([copy.rowCount, copy.commandTag]).toEqual([rows, `COPY ${rows}`]);
    await expectUsable();
  });

  it('takes the header line for no row', async () => {
    const copy = copyOut(client, 'COPY item TO STDOUT WITH (FORMAT csv, HEADER)', { hasHeaderLine: true });
    for await (const chunk of copy) {
      if (copy.rows.lastRowStart === 0) copy.rows.readToNextRow(chunk);
    }
    expect(copy.rows.lastRowStart).toBe('id,pad\n1,x\n'.length);
    expect(copy.rowCount).toBe(20_000n);
  });

  it('runs one after another, and behind a query that is under way', async () => {
    const slow = client.query('SELECT pg_sleep(0.05)');
    for (let round = 0; round < 3; round++) {
      expect((await collect(copyOut(client, 'COPY (VALUES (1), (2)) TO STDOUT'))).toString()).toBe('1\n2\n');
    }
    await slow;
    await expectUsable();
  });

  it('leaves notices, notifications and settings to pg', async () => {
    const notices: (string | undefined)[] = [];
    const notifications: (string | undefined)[] = [];
    const statuses: string[] = [];
    client.on('notice', ({ message }) => notices.push(message));
    client.on('notification', ({ payload }) => notifications.push(payload));
    client.connection.on('parameterStatus', ({ parameterValue }: { parameterValue: string }) =>
      statuses.push(parameterValue),
    );
    await client.query('LISTEN news');
    listenersBefore = listenersOf(client);
    const copy = copyOut(client, 'COPY (SELECT says(id) FROM item LIMIT 3000) TO STDOUT');
    const bytes = await collect(copy, async () => {
      await other.query(`NOTIFY news, 'hello'`);
    });
    expect(bytes.toString()).toBe(Array.from({ length: 3000 }, (_, n) => `${n + 1}\n`).join(''));
    expect(notices).toHaveLength(3000);
    expect(notices.at(-1)).toBe('at 3000');
    expect(statuses).toContain('at 3000');
    await expectUsable();
    expect(notifications[0]).toBe('hello');
  });

  it('throws the error of the server, with all that it says', async () => {
    const error: unknown = await collect(
      copyOut(client, 'COPY (SELECT fails(id) FROM item) TO STDOUT'),
    ).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({
      code: '22012',
      message: 'not this one',
      detail: 'The detail.',
      hint: 'The hint.',
    });
    await expectUsable();
  });

  it.each(['COPY nowhere TO STDOUT', 'COPY (SELECT 1'])(
    'throws the error of a COPY that does not begin: %s',
    async (sql) => {
      await expect(collect(copyOut(client, sql))).rejects.toMatchObject({ severity: 'ERROR' });
      await expectUsable();
    },
  );

  it.each([
    'SELECT * FROM item',
    'COPY item FROM STDIN',
    'COPY item TO STDOUT; COPY item TO STDOUT',
    'SELECT 1; COPY item TO STDOUT',
    'COPY item TO STDOUT; SELECT 1',
    '',
  ])('takes nothing but one COPY TO STDOUT: %s', async (sql) => {
    const copy = copyOut(client, sql);
    await expect(collect(copy)).rejects.toMatchObject({ code: 'invalid_argument' });
    expect([copy.rowCount, copy.commandTag]).toEqual([undefined, undefined]);
    await expectUsable();
  });

  it('stops the server while nobody takes what it sends', async () => {
    const sql = 'COPY (SELECT repeat(md5(n::text), 1000) FROM generate_series(1, 20000) AS n) TO STDOUT';
    const copy = copyOut(client, sql);
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    let read = 0;
    for await (const chunk of copy) {
      read += chunk.byteLength;
      if (read > chunk.byteLength) continue;
      await eventually(async () => {
        const { rows } = await other.query(
          `SELECT FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT repeat%' AND wait_event = 'ClientWrite'`,
        );
        return rows.length === 1;
      });
      const after = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
      expect(after - before).toBeLessThan(16 * 2 ** 20);
    }
    expect(read).toBe(20_000 * 32_001);
    await expectUsable();
  });

  it('reads a row of 64 MB without having it in memory as a whole', async () => {
    const copy = copyOut(client, `COPY (SELECT repeat('0123456789abcdef', 4194304), 1) TO STDOUT`);
    let read = 0;
    let largest = 0;
    const starts = new Set<number>();
    for await (const chunk of copy) {
      read += chunk.byteLength;
      largest = Math.max(largest, chunk.byteLength);
      copy.rows.read(chunk);
      starts.add(copy.rows.lastRowStart);
    }
    expect([read, copy.rows.lastRowStart, copy.rowCount]).toEqual([64 * 2 ** 20 + 3, 64 * 2 ** 20 + 3, 1n]);
    expect([...starts]).toEqual([0, read]);
    expect(largest).toBeLessThan(2 ** 20);
    await expectUsable();
  });

  it('gives rows that trickle, before there are many', async () => {
    // PostgreSQL itself gathers 8 kB.
    const row = `SELECT repeat('x', 8192), pg_sleep(0.2) FROM generate_series(1, 1000)`;
    for await (const chunk of copyOut(client, `COPY (${row}) TO STDOUT`)) {
      expect(chunk.byteLength).toBeLessThan(10 * 8194);
      break;
    }
    await expectUsable();
  });

  it.each(['COPY (SELECT pg_sleep(60)) TO STDOUT', 'COPY (SELECT generate_series(1, 1000000000)) TO STDOUT'])(
    'ends at its signal, and has the server cancel: %s',
    async (sql) => {
      const abortion = new AbortController();
      const reason = new Error('enough');
      const copy = copyOut(client, sql, { signal: abortion.signal });
      const ended = collect(copy);
      ended.catch(() => undefined);
      await eventually(async () => (await running(other, sql)) === 1);
      abortion.abort(reason);
      await expect(ended).rejects.toBe(reason);
      expect(await running(other, sql)).toBe(0);
      await expectUsable();
    },
  );

  it('sends nothing when its signal was aborted before, or nobody asks for rows', async () => {
    const sent: string[] = [];
    const { connection } = client;
    const query = connection.query.bind(connection);
    connection.query = (text: string) => {
      sent.push(text);
      query(text);
    };
    await expect(
      collect(copyOut(client, 'COPY item TO STDOUT', { signal: AbortSignal.abort('before') })),
    ).rejects.toBe('before');
    const unread = copyOut(client, 'COPY item TO STDOUT');
    await unread.end();
    await expect(collect(unread)).rejects.toMatchObject({ code: 'export_aborted' });
    expect(sent).toEqual([]);
    await expectUsable();
  });

  it('ends when its signal comes while it waits for the query before it', async () => {
    const abortion = new AbortController();
    const slow = client.query('SELECT pg_sleep(0.2)');
    const ended = collect(copyOut(client, 'COPY item TO STDOUT', { signal: abortion.signal }));
    abortion.abort('meanwhile');
    await expect(ended).rejects.toBe('meanwhile');
    await slow;
    await expectUsable();
  });

  it('cancels nothing but itself', async () => {
    for (let round = 0; round < 30; round++) {
      const sql = `COPY (SELECT generate_series(1, ${round % 2 === 0 ? 1_000_000_000 : 5000})) TO STDOUT`;
      for await (const _ of copyOut(client, sql)) break;
      await expect(client.query('SELECT pg_sleep(0.005)')).resolves.toHaveProperty('rowCount', 1);
    }
    await expectUsable();
  });

  it('tells that the session was ended, and why', async () => {
    const copy = copyOut(client, 'COPY (SELECT generate_series(1, 1000000000)) TO STDOUT');
    const ended = collect(copy, async () => {
      await other.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT gen%'`,
      );
    });
    await expect(ended).rejects.toMatchObject({
      code: 'database_unavailable',
      retryable: true,
      cause: { code: '57P01' },
      detail: 'terminating connection due to administrator command.',
    });
    expect(copy.rowCount).toBeUndefined();
    await expect(client.query('SELECT 1')).rejects.toThrow('not queryable');
    await expect(collect(copyOut(client, 'COPY item TO STDOUT'))).rejects.toMatchObject({
      code: 'database_unavailable',
    });
  });

  it('tells that the connection was lost', async () => {
    const copy = copyOut(client, 'COPY (SELECT generate_series(1, 1000000000)) TO STDOUT');
    const ended = collect(copy, () => {
      client.connection.stream.destroy(new Error('cable cut'));
      return Promise.resolve();
    });
    await expect(ended).rejects.toMatchObject({ code: 'database_unavailable', detail: 'cable cut.' });
    await eventually(
      async () => (await running(other, 'COPY (SELECT generate_series(1, 1000000000)) TO STDOUT')) === 0,
    );
  });

  it('works over a Unix socket, cancel included', async () => {
    await using local = await unixClient();
    const abortion = new AbortController();
    const ended = collect(
      copyOut(local.client, 'COPY (SELECT pg_sleep(60)) TO STDOUT', { signal: abortion.signal }),
    );
    await delay(50);
    abortion.abort('enough');
    await expect(ended).rejects.toBe('enough');
    expect((await collect(copyOut(local.client, 'COPY (SELECT 1) TO STDOUT'))).toString()).toBe('1\n');
  });

  async function unixClient() {
    const { rows } = await other.query<{ directory: string }>(
      `SELECT current_setting('unix_socket_directories') AS directory`,
    );
    const directory = encodeURIComponent((rows[0]?.directory ?? '').replaceAll('"', ''));
    const connected = await connectTo({
      connectionString: `postgresql://postgres:${server.password}@${directory}:${server.port}/postgres`,
    });
    return { client: connected, [Symbol.asyncDispose]: () => connected.end() };
  }
});

async function collect(copy: CopyOut, atFirst?: () => Promise<void>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of copy) {
    chunks.push(Buffer.from(chunk));
    if (chunks.length === 1) await atFirst?.();
  }
  return Buffer.concat(chunks);
}

/** Whatever a COPY might leave behind. */
function listenersOf(client: SourceClient): number[] {
  const { connection } = client;
  const { stream } = connection;
  return [
    ...['data', 'error', 'close', 'end', 'readable'].map((name) => stream.listenerCount(name)),
    ...['error', 'end', 'drain'].map((name) => client.listenerCount(name)),
    ...connection.eventNames().map((name) => connection.listenerCount(name)),
  ];
}

async function running(session: SourceClient, sql: string): Promise<number> {
  const { rows } = await session.query(`SELECT FROM pg_stat_activity WHERE query = $1 AND state = 'active'`, [
    sql,
  ]);
  return rows.length;
}
