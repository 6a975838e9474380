import { errnoOf, isSluiceError, SluiceError } from '../errors.ts';
import type { ConnectionSettings } from './conninfo.ts';

interface Remedy {
  hint: string;
  retryable?: true;
}

const TLS_REFUSED = 'The server does not support SSL connections';

/** What to do, by the server's SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const REMEDIES_OF_SERVER = new Map<string, Remedy>([
  ['28P01', { hint: 'Check the user, and the password in PGPASSWORD, the connection string or ~/.pgpass.' }],
  [
    '28000',
    { hint: "Check the user, and what the server's pg_hba.conf lets in: it may want TLS (sslmode=require)." },
  ],
  ['3D000', { hint: 'Check the name of the database: psql -l lists those that there are.' }],
  ['42501', { hint: 'The role needs the privilege CONNECT on the database.' }],
  [
    '53300',
    {
      hint: 'Wait for other sessions to end, use fewer at a time, or raise max_connections.',
      retryable: true,
    },
  ],
  ['57P03', { hint: 'The server is starting, stopping or recovering: wait a moment.', retryable: true }],
  ['57P01', { hint: 'The server is stopping: wait until it runs again.', retryable: true }],
]);

/** By the code of Node.js, OpenSSL or the operating system. */
const REMEDIES_OF_SYSTEM = new Map<string, Remedy>([
  ['ENOTFOUND', { hint: 'There is no such host: check its name, and whether this machine can look it up.' }],
  [
    'EAI_AGAIN',
    { hint: 'The name of the host could not be looked up: is there a network?', retryable: true },
  ],
  [
    'ECONNREFUSED',
    { hint: 'Does PostgreSQL run there, and listen on that port (listen_addresses)?', retryable: true },
  ],
  [
    'ENOENT',
    { hint: 'Does PostgreSQL run here, and is its socket in that directory? Name a host to use TCP.' },
  ],
  ['EACCES', { hint: 'This operating system user may not use the socket.' }],
  ['ETIMEDOUT', { hint: 'Is the way there open (firewall, security group)?', retryable: true }],
  ['EHOSTUNREACH', { hint: 'Is there a way to that host from here (network, VPN)?', retryable: true }],
  [
    'ECONNRESET',
    { hint: 'What listens there has closed the connection: is it PostgreSQL?', retryable: true },
  ],
  ['CERT_HAS_EXPIRED', { hint: "The server's certificate needs to be renewed." }],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    { hint: 'Connect to the name that is in the certificate, or give sslmode=verify-ca.' },
  ],
]);

/** What PgBouncer says, by the beginning of its message: it has one code for all. https://www.pgbouncer.org/config.html */
const REMEDIES_OF_POOLER: readonly [RegExp, Remedy][] = [
  [
    /^unsupported startup parameter/,
    {
      hint: 'A pooler stands before the database: leave options, PGOPTIONS, PGDATESTYLE and PGTZ out, or let it ignore them (ignore_startup_parameters).',
    },
  ],
  [
    /^query_wait_timeout/,
    {
      hint: "The pooler had no session to spare: tables need one more than --jobs (the pool's size).",
      retryable: true,
    },
  ],
];

const UNKNOWN_AUTHORITY: Remedy = {
  hint: "Name the certificate of the server's authority in sslrootcert, or give sslmode=require to go without verifying.",
};

/** The server refuses this way in, and perhaps not the other: with TLS or without. */
export function isRefusedWayIn(error: unknown): boolean {
  return error instanceof Error && (error.message === TLS_REFUSED || errnoOf(error) === '28000');
}

/** An error of a connection that was not made, for people: with what to do, and without a password. */
export function connectError(error: unknown, settings: ConnectionSettings): unknown {
  if (isSluiceError(error) || !(error instanceof Error)) return error;
  const setting = (name: string): string => settings.get(name) ?? '';
  const place = `${setting('host')}:${setting('port')}`;
  const { hint, retryable = false } = remedyOf(error);
  return new SluiceError(
    'database_unavailable',
    `could not connect to database "${setting('dbname')}" at ${place} as "${setting('user')}"`,
    { cause: error, detail: `${reasonOf(error)}.`, hint, retryable },
  );
}

function remedyOf(error: Error): Remedy {
  const code = errnoOf(reasonBehind(error)) ?? '';
  if (error.message === TLS_REFUSED) {
    return {
      hint: 'Turn TLS on at the server (ssl = on), or give sslmode=disable where the network is trusted.',
    };
  }
  if (error.message === 'timeout expired') return REMEDIES_OF_SYSTEM.get('ETIMEDOUT') ?? UNKNOWN_AUTHORITY;
  if (/CERT|UNABLE_TO/.test(code)) return REMEDIES_OF_SYSTEM.get(code) ?? UNKNOWN_AUTHORITY;
  return (
    REMEDIES_OF_POOLER.find(([message]) => message.test(error.message))?.[1] ??
    REMEDIES_OF_SERVER.get(code) ??
    REMEDIES_OF_SYSTEM.get(code) ?? { hint: 'Does psql connect with the same settings?' }
  );
}

function reasonOf(error: Error): string {
  return reasonBehind(error).message.replace(/\.$/, '');
}

/** A host with several addresses fails with an error for each, and no message of its own. */
function reasonBehind(error: Error): Error {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error ? first : error;
}
