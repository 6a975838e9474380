import { randomBytes } from 'node:crypto';
import type { ClientConfig } from 'pg';
import { connectToS3, readCertificates } from '../agent/s3-connections.ts';
import type { Config } from '../config/schema.ts';
import type { S3Connection } from '../s3/connection.ts';
import { checkAgent } from './checks/agent.ts';
import { checkAssume, type UploadCredentials } from './checks/assume.ts';
import { checkBaseCredentials } from './checks/base-credentials.ts';
import { checkConfiguration } from './checks/configuration.ts';
import { checkDatabase } from './checks/database.ts';
import { checkExtension } from './checks/extension.ts';
import { checkReach } from './checks/reach.ts';
import { checkRegion } from './checks/region.ts';
import { checkRole } from './checks/role.ts';
import { checkUploads, NO_BUCKET_NAMED, UPLOAD_CHECK_NAMES } from './upload-steps.ts';
import { Walk, type CheckResult, type Step, type WalkOptions } from './walk.ts';

/** Exports have longer timeouts and more attempts; a person waits for the doctor. */
const LONGEST_CONNECT_MS = 5_000;
const LONGEST_REQUEST_MS = 10_000;
const MOST_ATTEMPTS = 2;

export interface DoctorOptions {
  /** The path of sluice.toml. */
  configFile: string;
  /** How to connect to PostgreSQL. @default the database is left out */
  database?: ClientConfig | undefined;
  /** Where to try an upload; keys begin with the prefix. @default S3 is left out */
  target?: { bucket: string; prefix: string } | undefined;
  /** The Region of the bucket. @default that of the cluster */
  region?: string | undefined;
}

/** The names of the checks, in their order. */
export const CHECK_NAMES = [
  'configuration',
  'agent',
  'database',
  'extension',
  'reach',
  'base credentials',
  'role',
  'assume',
  'region',
  ...UPLOAD_CHECK_NAMES,
] as const;

/**
 * Checks every step of an export, in order, and reports each. Cleans up after itself; what it can't remove, it reports.
 * Every check ends within a minute.
 */
export async function examine(
  options: DoctorOptions,
  walkOptions: WalkOptions,
): Promise<readonly CheckResult[]> {
  const walk = new Walk(walkOptions);
  const { configFile } = options;
  const { signal } = walkOptions;
  const config = await walk.check('configuration', {}, () => checkConfiguration(configFile, { signal }));
  await checkDatabaseSide(walk, config, options, { signal });

  const base = await walk.check('base credentials', { config }, (found) =>
    checkBaseCredentials(found.config, { signal }),
  );
  const role = await walk.check('role', { config }, (found) =>
    checkRole(found.config, configFile, { signal }),
  );
  const credentials = await walk.check('assume', { config, base, role }, (found) =>
    checkAssume(found.config, found.base, found.role, { signal }),
  );
  await base.value?.sts?.close();
  await checkBucketSide(walk, { config, credentials }, options, { signal });
  return walk.results;
}

/** The checks from PostgreSQL to the agent. */
async function checkDatabaseSide(
  walk: Walk,
  config: Step<Config>,
  { configFile, database: settings }: DoctorOptions,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const agent = await walk.check('agent', { config }, (found) =>
    checkAgent(found.config, configFile, { signal }),
  );
  const database = await walk.check('database', {}, () => checkDatabase(settings, { signal }));
  const extension = await walk.check('extension', { config, database }, (found) =>
    checkExtension(found.config, found.database, { signal }),
  );
  await walk.check('reach', { config, agent, database, extension }, (found) =>
    checkReach(found.config, found.database, found.extension, { signal }),
  );
}

/** The checks from the agent to the bucket, with the role's credentials. */
async function checkBucketSide(
  walk: Walk,
  needs: { config: Step<Config>; credentials: Step<UploadCredentials> },
  { target, region }: DoctorOptions,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { bucket, prefix } = target ?? { bucket: '', prefix: '' };
  const object = { bucket, key: `${prefix}sluice-doctor-${randomBytes(6).toString('hex')}` };
  let connection: S3Connection | undefined;
  const s3 = await walk.check('region', needs, async ({ config, credentials }) => {
    if (target === undefined) return NO_BUCKET_NAMED;
    connection = await connect(config, region ?? config.cluster.region, credentials);
    return checkRegion(connection, object, { signal });
  });
  try {
    await checkUploads(walk, s3, object, { signal });
  } finally {
    await connection?.close();
  }
}

async function connect(
  config: Config,
  region: string,
  { credentials, roleArn }: UploadCredentials,
): Promise<S3Connection> {
  const { s3 } = config;
  const patience = {
    connect_timeout: Math.min(s3.connect_timeout, LONGEST_CONNECT_MS),
    request_timeout: Math.min(s3.request_timeout, LONGEST_REQUEST_MS),
    max_attempts: Math.min(s3.max_attempts, MOST_ATTEMPTS),
  };
  return connectToS3(
    { ...config, s3: { ...s3, ...patience } },
    {
      region,
      credentials: () => Promise.resolve(credentials),
      roleArn,
      ca: await readCertificates('s3.ca_file', s3.ca_file),
    },
  );
}
