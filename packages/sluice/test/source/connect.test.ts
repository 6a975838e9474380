import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  startTemporaryPostgres,
  type TemporaryPostgres,
} from '../../../local/src/postgres/temporary-postgres.ts';
import { postgresOsUser } from '../../../local/src/process/os-user.ts';
import { isSluiceError } from '../../src/errors.ts';
import { connectTo, type ConnectOptions } from '../../src/source/connect.ts';
import { copyOut } from '../../src/source/copy-out.ts';
import type { SourceClient } from '../../src/source/source-client.ts';
import { CERTIFICATE, KEY } from './certificate.ts';

const PASSWORD = 'not to be seen: %1/@';

let server: TemporaryPostgres;
/** HOME of the tests. */
let home: string;
const clients: SourceClient[] = [];

beforeAll(async () => {
  server = await startTemporaryPostgres();
  home = await mkdtemp(join(tmpdir(), 'sluice-connect-'));
  await using superuser = await disposable(connectTo({ connectionString: server.url }));
  await superuser.client.query(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD}'`);
  await superuser.client.query('CREATE DATABASE sales');
  await superuser.client.query(`CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
  await superuser.client.query(`CREATE DATABASE greek TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`);
  await superuser.client.query(`
    ALTER DATABASE greek SET client_encoding = 'KOI8R'; ALTER ROLE app IN DATABASE greek SET client_encoding = 'LATIN9'`);
  await turnOnTls(superuser.client);
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
  await server?.stop();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
});

async function connect(connectionString: string | undefined, environment: Record<string, string> = {}) {
  const options: ConnectOptions = { connectionString, environment: { HOME: home, ...environment } };
  const client = await connectTo(options);
  clients.push(client);
  return client;
}

interface Facts {
  user: string;
  database: string;
  application: string;
  tls: boolean;
}

async function factsOf(client: SourceClient): Promise<Facts> {
  const { rows } = await client.query<Facts>(`
    SELECT current_user::text AS user, current_database()::text AS database, ssl AS tls,
      current_setting('application_name') AS application FROM pg_stat_ssl WHERE pid = pg_backend_pid()`);
  const [facts] = rows;
  if (facts === undefined) throw new Error('no facts');
  return facts;
}

async function failure(connectionString: string, environment?: Record<string, string>) {
  const error: unknown = await connect(connectionString, environment).catch((reason: unknown) => reason);
  if (!isSluiceError(error)) throw new Error('it connected, or failed otherwise', { cause: error });
  for (const text of [error.message, error.detail, error.hint, error.stack, JSON.stringify(error)]) {
    expect(text ?? '').not.toContain('not to be seen');
    expect(text ?? '').not.toContain(encodeURIComponent('not to be seen'));
  }
  return error;
}

const uri = (rest = '/sales') =>
  `postgresql://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}${rest}`;

describe('where to and as whom', () => {
  it('a URI, a list, and PG* variables say', async () => {
    const expected = { user: 'app', database: 'sales', application: 'sluice' };
    expect(await factsOf(await connect(uri()))).toMatchObject(expected);
    const list = `host=127.0.0.1 port = ${server.port} user='app' password='${PASSWORD}' dbname=sales`;
    expect(await factsOf(await connect(list))).toMatchObject(expected);
    const variables = { PGHOST: '127.0.0.1', PGPORT: `${server.port}`, PGUSER: 'app', PGPASSWORD: PASSWORD };
    expect(await factsOf(await connect(undefined, { ...variables, PGDATABASE: 'sales' }))).toMatchObject(
      expected,
    );
    expect(await factsOf(await connect('sales', { ...variables, PGAPPNAME: 'mine' }))).toMatchObject({
      ...expected,
      application: 'mine',
    });
    expect(
      await factsOf(await connect('postgresql://', { ...variables, PGDATABASE: 'sales' })),
    ).toMatchObject(expected);
  });

  it('a service says what the string leaves out, before the variables', async () => {
    const file = join(home, 'services.conf');
    await writeFile(
      file,
      `# ours\n[other]\nhost=nowhere\n\n[mine]\nhost=127.0.0.1\nport=${server.port}\nuser=app\ndbname=sales\napplication_name=served\n[last]\nport=1\n`,
    );
    const environment = { PGSERVICEFILE: file, PGPASSWORD: PASSWORD, PGDATABASE: 'not this', PGPORT: '1' };
    expect(await factsOf(await connect('service=mine', environment))).toMatchObject({
      database: 'sales',
      application: 'served',
    });
    expect(
      await factsOf(await connect('dbname=postgres', { ...environment, PGSERVICE: 'mine' })),
    ).toMatchObject({ database: 'postgres', application: 'served' });
    expect(await failure('service=missing', environment)).toMatchObject({
      code: 'invalid_argument',
      message: 'there is no service "missing" to connect to',
    });
  });

  it('the password file has the password, if others may not read it', async () => {
    const file = join(home, '.pgpass');
    const escaped = PASSWORD.replaceAll(':', '\\:');
    await writeFile(file, `# passwords\nelsewhere:*:*:*:wrong\n127.0.0.1:${server.port}:*:app:${escaped}\n`, {
      mode: 0o600,
    });
    const string = `host=127.0.0.1 port=${server.port} user=app dbname=sales`;
    expect(await factsOf(await connect(string))).toMatchObject({ user: 'app' });
    await chmod(file, 0o644);
    expect(await failure(string)).toMatchObject({ code: 'invalid_argument', hint: `chmod 600 ${file}` });
    expect(await failure(`${string} passfile=${home}/none`)).toMatchObject({
      message: 'the database wants a password, and there is none',
    });
    expect(await factsOf(await connect(string, { PGPASSWORD: PASSWORD }))).toMatchObject({ user: 'app' });
    await rm(file);
  });

  it.each([
    ['postgresql://app@127.0.0.1:none/sales', 'could not read the connection string of the database'],
    [
      'postgresql://app:not to be seen%zz@127.0.0.1/sales',
      'could not read the connection string of the database',
    ],
    ['host=127.0.0.1 password=not to be seen', 'could not read the connection string of the database'],
    ["password='not to be seen", 'could not read the connection string of the database'],
    ['postgresql://127.0.0.1/sales?pgbouncer=true', 'cannot connect with the setting "pgbouncer"'],
    ['host=one,two dbname=sales', 'cannot connect to one of several hosts'],
    [
      'dbname=sales target_session_attrs=read-write',
      'cannot connect with the setting "target_session_attrs"',
    ],
    ['port=70000 dbname=sales', 'invalid port of the database: "70000"'],
    ['host=127.0.0.1 sslmode=perhaps', 'invalid sslmode: "perhaps"'],
    ['host=127.0.0.1 sslmode=verify-ca', 'cannot verify the server with sslmode=verify-ca'],
    [
      'host=127.0.0.1 sslrootcert=/nowhere/root.crt',
      'could not read the certificate or key /nowhere/root.crt',
    ],
  ])('says what is wrong with %s', async (string, message) => {
    expect(await failure(string)).toMatchObject({ code: 'invalid_argument', message });
  });
});

describe('what does not let us in', () => {
  it.each([
    ['a wrong password', () => uri('/sales').replace('not%20to', 'wrong'), '28P01', 'PGPASSWORD'],
    ['a database that there is not', () => uri('/nowhere'), '3D000', 'psql -l'],
    [
      'a host that there is not',
      () => 'postgresql://app@no-such-host.invalid/sales',
      'ENOTFOUND',
      'check its name',
    ],
    [
      'a port that nobody listens on',
      () => 'postgresql://app@127.0.0.1:1/sales',
      'ECONNREFUSED',
      'listen_addresses',
    ],
    ['a socket that there is not', () => 'host=/nowhere user=app', 'ENOENT', 'Name a host'],
  ])('%s', async (_, string, cause, hint) => {
    const error = await failure(string());
    expect(error).toMatchObject({ code: 'database_unavailable', retryable: cause === 'ECONNREFUSED' });
    expect(error.message).toMatch(/^could not connect to database ".*" at .* as "app"$/);
    expect(error.hint).toContain(hint);
    expect(JSON.stringify(error.cause)).toContain(cause);
  });

  it('something that is no PostgreSQL, or says nothing', async () => {
    const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const silent = createServer(() => undefined);
    for (const listener of [other, silent]) {
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    }
    const at = (listener: typeof other) =>
      `host=127.0.0.1 port=${(listener.address() as AddressInfo).port} user=app connect_timeout=1`;
    expect(await failure(at(other))).toMatchObject({ code: 'database_unavailable' });
    expect(await failure(at(silent))).toMatchObject({
      code: 'database_unavailable',
      detail: 'timeout expired.',
      retryable: true,
    });
    const aborted = connectTo({
      connectionString: at(silent),
      signal: AbortSignal.timeout(100),
      environment: {},
    });
    await expect(aborted).rejects.toMatchObject({ name: 'TimeoutError' });
    other.close();
    silent.close();
  });
});

describe('TLS', () => {
  it.each([
    ['sslmode=disable', false],
    ['sslmode=allow', false],
    ['sslmode=prefer', true],
    ['', true],
    ['sslmode=require', true],
    ['sslmode=require&sslrootcert=HOME/root.crt', true],
    ['sslmode=verify-ca&sslrootcert=HOME/root.crt', true],
  ])('as libpq takes %s', async (parameters, tls) => {
    const string = uri(`/sales?${parameters.replace('HOME', home)}`);
    expect(await factsOf(await connect(string))).toMatchObject({ tls });
  });

  it('verifies the name, too, with verify-full', async () => {
    const verified = `/sales?sslmode=verify-full&sslrootcert=${home}/root.crt`;
    const byName = uri(verified).replace('127.0.0.1', 'localhost');
    expect(await factsOf(await connect(byName))).toMatchObject({ tls: true });
    expect((await failure(uri(verified))).hint).toContain('name that is in the certificate');
    expect((await failure(uri('/sales?sslmode=verify-full'))).hint).toContain('sslrootcert');
  });

  it('can be demanded, and done without where it is only preferred', async () => {
    await using plain = await startTemporaryPostgres();
    const string = `postgresql://postgres:${plain.password}@127.0.0.1:${plain.port}/postgres`;
    expect(await factsOf(await connect(string))).toMatchObject({ tls: false });
    expect((await failure(`${string}?sslmode=require`)).hint).toContain('ssl = on');
  });

  it('copies, and cancels, over it', async () => {
    const client = await connect(uri('/sales?sslmode=require'));
    const abortion = new AbortController();
    const endless = copyOut(client, 'COPY (SELECT generate_series(1, 1000000000)) TO STDOUT', {
      signal: abortion.signal,
    });
    let read = 0;
    const ended = (async () => {
      for await (const chunk of endless) {
        read += chunk.byteLength;
        if (read > 2 ** 20) abortion.abort('enough');
      }
    })();
    await expect(ended).rejects.toBe('enough');
    expect(await factsOf(client)).toMatchObject({ tls: true });
    const chunks: Buffer[] = [];
    for await (const chunk of copyOut(client, 'COPY (SELECT generate_series(1, 100000)) TO STDOUT'))
      chunks.push(Buffer.from(chunk));
    expect(Buffer.concat(chunks).toString()).toBe(
      Array.from({ length: 100_000 }, (_, n) => `${n + 1}\n`).join(''),
    );
  });
});

describe('the session', () => {
  it("has the role's settings, and psql's variables", async () => {
    await using superuser = await disposable(connectTo({ connectionString: server.url }));
    await superuser.client.query(
      `ALTER ROLE app SET DateStyle = 'German'; ALTER ROLE app SET extra_float_digits = 0`,
    );
    const show = async (client: SourceClient) => {
      const { rows } = await client.query<{ shown: string }>(
        `SELECT concat_ws('|', current_setting('DateStyle'), current_setting('extra_float_digits'),
           current_setting('TimeZone'), current_setting('statement_timeout')) AS shown`,
      );
      return rows[0]?.shown;
    };
    expect(await show(await connect(uri(), { PGTZ: 'Asia/Kathmandu' }))).toBe(
      'German, DMY|0|Asia/Kathmandu|0',
    );
    expect(
      await show(await connect(uri(), { PGDATESTYLE: 'SQL, DMY', PGOPTIONS: '-c statement_timeout=7s' })),
    ).toMatch(/^SQL, DMY\|0\|.*\|7s$/);
    await superuser.client.query('ALTER ROLE app RESET ALL');
  });

  it.each([
    ['the encoding of the database', '/latin', {}, Buffer.from('\xe9\xdf', 'latin1')],
    ['the encoding of the role', '/greek', {}, Buffer.from('\xe9\xdf', 'latin1')],
    ['PGCLIENTENCODING', '/latin', { PGCLIENTENCODING: 'UTF8' }, Buffer.from('éß')],
    ['client_encoding', '/sales?client_encoding=LATIN1', {}, Buffer.from('\xe9\xdf', 'latin1')],
    ['the database again', '/sales?client_encoding=auto', {}, Buffer.from('éß')],
  ])('copies in %s, and speaks UTF-8', async (_, path, environment, bytes) => {
    const client = await connect(uri(path), environment);
    for (let round = 0; round < 2; round++) {
      const chunks: Buffer[] = [];
      const copy = copyOut(
        client,
        `COPY (SELECT 'éß' WHERE 'é' = U&'\\00e9') TO STDOUT WITH (FORMAT binary)`,
      );
      for await (const chunk of copy) chunks.push(Buffer.from(chunk));
      expect(Buffer.concat(chunks).subarray(25, -2)).toEqual(bytes);
      expect(copy.rowCount).toBe(1n);
      const { rows } = await client.query<{ x: string }>(`SELECT 'éß' || U&'\\00e9' AS x`);
      expect(rows).toEqual([{ x: 'éßé' }]);
    }
    const failing = copyOut(client, `COPY (SELECT 1 / 0) TO STDOUT`)[Symbol.asyncIterator]();
    await expect(failing.next()).rejects.toMatchObject({ code: '22012' });
    const { rows } = await client.query<{ x: string }>(`SELECT 'é' AS x`);
    expect(rows).toEqual([{ x: 'é' }]);
  });
});

async function disposable(connecting: Promise<SourceClient>) {
  const client = await connecting;
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

async function turnOnTls(superuser: SourceClient): Promise<void> {
  await writeFile(join(home, 'root.crt'), CERTIFICATE);
  const files = { ssl_cert_file: CERTIFICATE, ssl_key_file: KEY };
  const osUser = postgresOsUser();
  for (const [setting, content] of Object.entries(files)) {
    const file = join(server.directory, setting);
    await writeFile(file, content, { mode: 0o600 });
    if (osUser !== undefined) await chown(file, osUser.uid, osUser.gid);
    await superuser.query(`ALTER SYSTEM SET ${setting} = '${file}'`);
  }
  await superuser.query(`ALTER SYSTEM SET ssl = on`);
  await superuser.query('SELECT pg_reload_conf()');
}
