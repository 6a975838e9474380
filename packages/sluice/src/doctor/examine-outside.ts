import { randomBytes } from 'node:crypto';
import type { S3Connection } from '../s3/connection.ts';
import { disconnect } from '../source/connect.ts';
import { checkCompression } from './checks/outside/compression.ts';
import { checkConnection } from './checks/outside/connection.ts';
import { checkLimits } from './checks/outside/limits.ts';
import { checkList } from './checks/outside/list.ts';
import { checkServer } from './checks/outside/server.ts';
import { checkSessions } from './checks/outside/sessions.ts';
import { checkSnapshot } from './checks/outside/snapshot.ts';
import { checkTables } from './checks/outside/tables.ts';
import { checkRegion } from './checks/region.ts';
import { checkUploads, NO_BUCKET_NAMED, UPLOAD_CHECK_NAMES } from './upload-steps.ts';
import { Walk, type CheckResult, type WalkOptions } from './walk.ts';

export interface OutsideOptions {
  /** As psql takes it; PG* variables say what it leaves out. */
  database?: string | undefined;
  /** Patterns of tables. @default none are looked at */
  tables?: readonly string[] | undefined;
  /** Sessions that an export would read with. */
  jobs: number;
  /** Where to try an upload; keys begin with the prefix. @default S3 is left out */
  target?: { bucket: string; prefix: string } | undefined;
  /** The connection to S3 that an export would have. It is closed in the end. */
  connectToS3: () => Promise<S3Connection>;
}

/** The names of the checks, in their order. */
export const OUTSIDE_CHECK_NAMES = [
  'connection',
  'server',
  'snapshot',
  'tables',
  'limits',
  'sessions',
  'compression',
  'region',
  'list',
  ...UPLOAD_CHECK_NAMES,
] as const;

/** Checks every step of `sluice export`, in order, and reports each. Cleans up after itself. */
export async function examineOutside(
  options: OutsideOptions,
  walkOptions: WalkOptions,
): Promise<readonly CheckResult[]> {
  const walk = new Walk(walkOptions);
  await checkDatabaseSide(walk, options, walkOptions);
  await walk.check('compression', {}, () => Promise.resolve(checkCompression()));
  await checkBucketSide(walk, options, walkOptions);
  return walk.results;
}

async function checkDatabaseSide(
  walk: Walk,
  { database, tables = [], jobs }: OutsideOptions,
  { signal }: WalkOptions,
): Promise<void> {
  const client = await walk.check('connection', {}, () => checkConnection(database, { signal }));
  // What hangs at the server must not keep an interruption from ending the doctor.
  const hangUp = (): void => void client.value?.connection.stream.destroy();
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    const server = await walk.check('server', { client }, (found) => checkServer(found.client));
    await walk.check('snapshot', { server }, (found) => checkSnapshot(found.server, database, { signal }));
    await walk.check('tables', { server }, (found) => checkTables(found.server, tables, { signal }));
    await walk.check('limits', { server }, (found) => checkLimits(found.server));
    await walk.check('sessions', { server }, (found) => checkSessions(found.server, jobs));
  } finally {
    signal.removeEventListener('abort', hangUp);
    if (client.value !== undefined) await disconnect(client.value);
  }
}

async function checkBucketSide(
  walk: Walk,
  { target, connectToS3 }: OutsideOptions,
  { signal }: WalkOptions,
): Promise<void> {
  const { bucket, prefix } = target ?? { bucket: '', prefix: '' };
  const object = { bucket, key: `${prefix}sluice-doctor-${randomBytes(6).toString('hex')}` };
  let connection: S3Connection | undefined;
  const s3 = await walk.check('region', {}, async () => {
    if (target === undefined) return NO_BUCKET_NAMED;
    connection = await connectToS3();
    return checkRegion(connection, object, { signal });
  });
  try {
    await walk.check('list', { s3 }, (found) =>
      checkList(found.s3.connection, { bucket, prefix }, { signal }),
    );
    await checkUploads(walk, s3, object, { signal });
  } finally {
    await connection?.close();
  }
}
