import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../errors.ts';
import { loadConfig, parseConfig } from './load-config.ts';
import { configSchema } from './schema.ts';

const CLUSTER = `
[cluster]
identifier = "my-db-cluster"
region = "us-west-2"
`;

const ACCESS_KEY = `
[[rds_api.access_keys]]
id = "AKIDRDS"
secret = "secret"
`;

function detailOf(text: string): string | undefined {
  try {
    parseConfig(text, 'sluice.toml');
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'config_invalid') return error.detail;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('parseConfig', () => {
  it('fills in the defaults', () => {
    expect(parseConfig(CLUSTER, 'sluice.toml')).toEqual({
      agent: {
        socket_directory: '/run/sluice',
        state_directory: '/var/lib/sluice',
        log_level: 'info',
        max_exports: 256,
        shutdown_timeout: 30_000,
      },
      cluster: {
        identifier: 'my-db-cluster',
        region: 'us-west-2',
        account_id: '000000000000',
        endpoint: 'localhost',
        port: 5432,
      },
      aws: { role_session_duration: 3_600_000, role_check_interval: 300_000 },
      s3: {
        force_path_style: false,
        checksums: 'crc32',
        connect_timeout: 5_000,
        request_timeout: 60_000,
        max_attempts: 5,
      },
      export: {
        file_limit: 6 * 1024 ** 3,
        part_size: 8 * 1024 ** 2,
        parts_in_flight: 8,
        memory: 256 * 1024 ** 2,
      },
    });
  });

  it.each([
    ['"6GiB"', 6 * 1024 ** 3],
    ['"1.5 MB"', 1_500_000],
    ['200000', 200_000],
    ['"200000"', 200_000],
  ])('reads the size %s', (text, bytes) => {
    expect(parseConfig(`${CLUSTER}[export]\nfile_limit = ${text}`, 'sluice.toml').export.file_limit).toBe(
      bytes,
    );
  });

  it.each([
    ['', 'cluster: '],
    [
      `${CLUSTER}[export]\nfile_limit = "6 potatoes"`,
      'export.file_limit: expected a size such as "64MiB", up to "5TiB", found "6 potatoes"',
    ],
    [
      `${CLUSTER}[export]\npart_size = "1MiB"`,
      'export.part_size: expected a size such as "64MiB", from "5MiB" to "5GiB", found "1MiB"',
    ],
    [`${CLUSTER}[agent]\nmax_exports = 0`, 'agent.max_exports: '],
    [
      `${CLUSTER}[agent]\nsocket_directory = "run"`,
      'agent.socket_directory: expected an absolute path, found "run"',
    ],
    [
      `${CLUSTER}[agent]\nshutdown_timeout = "soon"`,
      'agent.shutdown_timeout: expected a duration such as "30s", from "1ms" to "24h", found "soon"',
    ],
    [`${CLUSTER}[s3]\nendpoit = "x"`, 's3.endpoit: there is no such key'],
    [`${CLUSTER}[s3]\nendpoint = "ftp://x"`, 's3.endpoint: expected an http or https URL, found "ftp://x"'],
    [
      `${CLUSTER}[s3]\naccess_key_id = "AKIA"`,
      's3: expected access_key_id and secret_access_key together, or neither',
    ],
    [
      `${CLUSTER}[aws]\nrole_session_duration = "5min"`,
      'aws.role_session_duration: expected a duration such as "30s", from "15min" to "12h", found "5min"',
    ],
    [
      `${CLUSTER}[aws]\nsecret_access_key = "x"`,
      'aws: expected access_key_id and secret_access_key together, or neither',
    ],
    [`${CLUSTER}[rds_api]\nlisten = "127.0.0.1:80"`, 'rds_api.access_keys: '],
    [
      `${CLUSTER}[rds_api]\nlisten = ":80"\n${ACCESS_KEY}`,
      'rds_api.listen: expected a host and a port such as "127.0.0.1:8432", or the absolute path of a Unix socket, found ":80"',
    ],
    [`${CLUSTER}[rds_api]\nlisten = "::1:99999"\n${ACCESS_KEY}`, 'rds_api.listen: '],
    [`${CLUSTER}${ACCESS_KEY}${ACCESS_KEY}`, 'rds_api.access_keys: expected each id once'],
    [
      CLUSTER.replace('us-west-2', 'US West'),
      'cluster.region: expected an AWS Region such as "us-west-2", found "US West"',
    ],
  ])('says of %j what is wrong', (text, detail) => {
    expect(detailOf(text)).toContain(detail);
  });

  it('never shows a secret', () => {
    expect(detailOf(`${CLUSTER}[s3]\naccess_key_id = "AKIA"\nsecret_access_key = 123456`)).not.toContain(
      '123456',
    );
  });

  it.each([
    ['', { host: '127.0.0.1', port: 8432 }],
    ['listen = "[::1]:0"', { host: '::1', port: 0 }],
    ['listen = "rds.example:443"', { host: 'rds.example', port: 443 }],
  ])('reads where the RDS API listens: %j', (line, listen) => {
    const { rds_api: api } = parseConfig(`${CLUSTER}[rds_api]\n${line}\n${ACCESS_KEY}`, 'sluice.toml');
    expect(api).toEqual({ listen, access_keys: [{ id: 'AKIDRDS', secret: 'secret' }] });
  });

  it('says where the file is not TOML', () => {
    expect(() => parseConfig('[cluster\n', 'sluice.toml')).toThrow(
      /"sluice.toml" is not valid TOML \(line 1, column/,
    );
  });
});

it('loadConfig names a file that is missing', async () => {
  await expect(loadConfig('/nowhere/sluice.toml')).rejects.toMatchObject({
    code: 'config_invalid',
    message: 'could not read the configuration file "/nowhere/sluice.toml"',
  });
});

it('docs/configuration.md describes every key, and no other', () => {
  const text = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');
  const documented = text.split(/^## /m).flatMap((section) => {
    const table = /^\[(\w+)\]/.exec(section)?.[1];
    return [...section.matchAll(/^\| `(\w+)`/gm)].map(([, key]) => `${table}.${key}`);
  });
  const known = Object.entries(configSchema.shape).flatMap(([table, schema]) => {
    const inner = 'unwrap' in schema ? schema.unwrap() : schema;
    return Object.keys(inner.shape).map((key) => `${table}.${key}`);
  });
  expect(documented.toSorted()).toEqual(known.toSorted());
});
