import { z } from 'zod';
import {
  absolutePath,
  bytes,
  duration,
  keysTogether,
  listenAddress,
  name,
  region,
  s3Keys,
  text,
  url,
} from './config-values.ts';

/** The largest object that Amazon S3 stores, and therefore the largest file of an export. */
const MAX_OBJECT_BYTES = 5 * 1024 ** 4;
/** The smallest part of a multipart upload, except for the last. */
const MIN_PART_BYTES = 5 * 1024 ** 2;
const MAX_PART_BYTES = 5 * 1024 ** 3;

const identifier = () =>
  name(/^[A-Za-z](?!.*--)[A-Za-z0-9-]{0,62}$/, 'letters, digits and hyphens, beginning with a letter');

/** sluice.toml; its keys are described in docs/configuration.md. */
export const configSchema = z.strictObject({
  agent: z
    .strictObject({
      socket_directory: absolutePath()
        .refine(
          (path) => Buffer.byteLength(path) <= 90,
          'expected a path of at most 90 bytes (a Unix socket path is short)',
        )
        .default('/run/sluice'),
      state_directory: absolutePath().default('/var/lib/sluice'),
      postgres_os_user: name(
        /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
        "an operating system user's name or number",
      ).optional(),
      log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
      max_exports: z.int().min(1).max(10_000).default(256),
      shutdown_timeout: duration().default(30_000),
    })
    .prefault({}),
  cluster: z.strictObject({
    identifier: identifier(),
    region: region(),
    instance_identifier: identifier().optional(),
    account_id: name(/^\d{12}$/, 'an AWS account ID of 12 digits').default('000000000000'),
    endpoint: name(/^[A-Za-z0-9.:-]{1,255}$/, 'a host name or address').default('localhost'),
    port: z.int().min(1).max(65_535).default(5432),
    engine_version: name(/^\d{1,3}(\.\d{1,3})?$/, 'a version of PostgreSQL such as "18.4"').optional(),
  }),
  aws: z
    .strictObject({
      access_key_id: text().optional(),
      secret_access_key: text().optional(),
      session_token: text().optional(),
      profile: text().optional(),
      sts_endpoint: url().optional(),
      ca_file: absolutePath().optional(),
      external_id: name(
        /^[\w+=,.@:/-]{2,1224}$/,
        'an external ID of at least 2 letters, digits or +=,.@:/-',
      ).optional(),
      // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, DurationSeconds
      role_session_duration: duration(900_000, 43_200_000, 'from "15min" to "12h"').default(3_600_000),
      role_check_interval: duration(1_000, 86_400_000, 'from "1s" to "24h"').default(300_000),
    })
    .refine(...keysTogether)
    .prefault({}),
  s3: z
    .strictObject(s3Keys)
    .refine(...keysTogether)
    .prefault({}),
  export: z
    .strictObject({
      file_limit: bytes(1, MAX_OBJECT_BYTES, 'up to "5TiB"').default(6 * 1024 ** 3),
      part_size: bytes(MIN_PART_BYTES, MAX_PART_BYTES, 'from "5MiB" to "5GiB"').default(8 * 1024 ** 2),
      parts_in_flight: z.int().min(1).max(64).default(8),
      memory: bytes(MIN_PART_BYTES, Number.MAX_SAFE_INTEGER, 'at least "5MiB"').default(256 * 1024 ** 2),
    })
    .prefault({}),
  rds_api: z
    .strictObject({
      listen: listenAddress().prefault('127.0.0.1:8432'),
      access_keys: z
        .array(z.strictObject({ id: name(/^\w{1,128}$/, 'letters and digits'), secret: text() }))
        .min(1, 'expected at least one [[rds_api.access_keys]]')
        .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'expected each id once'),
    })
    .optional(),
});

/** The configuration of an agent, checked, with defaults filled in: sizes in bytes, durations in milliseconds. */
export type Config = z.output<typeof configSchema>;
