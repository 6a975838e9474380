import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import {
  AddRoleToDBInstanceCommand,
  DescribeDBClustersCommand,
  DescribeDBEngineVersionsCommand,
  DescribeDBInstancesCommand,
  RDSClient,
  RemoveRoleFromDBInstanceCommand,
} from '@aws-sdk/client-rds';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { POSTGRES_MAJORS } from '../../packages/local/src/postgres/versions.ts';
import { configSchema } from '../../packages/sluice/src/config/schema.ts';
import { AwsAccount, TRUST_RDS } from '../support/aws-account.ts';
import { BUCKET, exportQuery, TestStack } from '../support/test-stack.ts';

const ROOT = new URL('../../', import.meta.url);
const FILE_LIMIT = 100_000;
const ROLE = 'arn:aws:iam::000000000000:role/test-export';
const NO_CREDENTIALS = {
  code: '28000',
  message: "credentials stored with the database cluster can't be accessed",
};

let testStack: TestStack;
let superuser: pg.Client;
let account: AwsAccount;
let rds: RDSClient;

beforeAll(async () => {
  testStack = await TestStack.start({ agentConfig: { export: { file_limit: FILE_LIMIT } } });
  superuser = await testStack.connect();
  account = new AwsAccount(testStack.stack);
  const { endpoint, region, accessKeyId, secretAccessKey } = testStack.stack.aws;
  rds = new RDSClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
});
afterAll(async () => {
  rds?.destroy();
  account?.close();
  await testStack?.stop();
});

const head = (key: string) => testStack.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));
const text = async (key: string) => (await testStack.object(key)).toString();

/** The test for each row of the README's table, by the row's first column. */
const SHOWN: Readonly<Record<string, (sluice: string) => Promise<void>>> = {
  'PostgreSQL versions': async (sluice) => {
    const matrix = await readFile(new URL('scripts/test-matrix.mjs', ROOT), 'utf8');
    const tested = /^const ALL = \[(.*)\];$/m.exec(matrix)?.[1]?.replaceAll("'", '');
    expect(tested).toBe(POSTGRES_MAJORS.join(', '));
    expect(sluice.startsWith(`${tested}:`)).toBe(true);
  },
  'Functions, types, named arguments, result columns': async () => {
    const { rows } = await superuser.query<{ function: string }>(`
      SELECT format('%s(%s) %s', proname, pg_get_function_arguments(oid), provolatile) AS function FROM pg_proc
      WHERE pronamespace IN ('aws_s3'::regnamespace, 'aws_commons'::regnamespace) AND proname NOT LIKE '\\_%'
      ORDER BY 1`);
    const result = 'OUT rows_uploaded bigint, OUT files_uploaded bigint, OUT bytes_uploaded bigint) v';
    const last = `options text DEFAULT NULL::text, kms_key text DEFAULT NULL::text, ${result}`;
    expect(rows.map((row) => row.function)).toEqual([
      'create_aws_credentials(access_key text, secret_key text, session_token text) i',
      'create_s3_uri(bucket text, file_path text, region text) i',
      ...['export_query_to_s3', 'query_export_to_s3'].flatMap((name) => [
        `${name}(query text, bucket text, file_path text, region text DEFAULT NULL::text, ${last}`,
        `${name}(query text, s3_info aws_commons._s3_uri_1, ${last}`,
      ]),
    ]);
    const versions = await superuser.query(
      `SELECT extname, extversion FROM pg_extension WHERE extname LIKE 'aws%' ORDER BY 1`,
    );
    expect(versions.rows).toEqual([
      { extname: 'aws_commons', extversion: '1.2' },
      { extname: 'aws_s3', extversion: '1.2.1' },
    ]);
  },
  "The name of the guide's prose, `export_query_to_s3`": async () => {
    const { rows } = await superuser.query(
      `SELECT rows_uploaded FROM aws_s3.export_query_to_s3('SELECT 1', aws_commons.create_s3_uri('${BUCKET}', 'prose', 'us-west-2'))`,
    );
    expect(rows).toEqual([{ rows_uploaded: '1' }]);
    expect(await text('prose')).toBe('1\n');
  },
  Options: async () => {
    for (const options of [
      'format csv, delimiter $$:$$',
      ' (FORMAT csv, DELIMITER ":") '.replaceAll('"', "'"),
    ]) {
      await exportQuery(superuser, 'SELECT 1, 2', 'options', options);
      expect(await text('options')).toBe('1:2\n');
    }
  },
  Compression: async () => {
    const options = 'format csv, compression gzip, compression_level 9';
    const { bytes } = await exportQuery(superuser, 'SELECT 1, 2', 'compressed', options);
    const { ContentEncoding, ContentLength } = await head('compressed');
    expect({ ContentEncoding, ContentLength }).toEqual({ ContentEncoding: 'gzip', ContentLength: bytes });
    expect(gunzipSync(await testStack.object('compressed')).toString()).toBe('1,2\n');
    await expect(testStack.copy(superuser, 'SELECT 1, 2', options)).rejects.toThrow(
      'option "compression" not recognized',
    );
  },
  'Existing objects': async () => {
    expect(await exportQuery(superuser, manyRows(1.5), 'overwritten')).toMatchObject({ files: 2 });
    await exportQuery(superuser, 'SELECT 1', 'overwritten');
    expect(await text('overwritten')).toBe('1\n');
    expect(await testStack.keys('overwritten')).toEqual(['overwritten', 'overwritten_part2']);
  },
  Files: async () => {
    const cluster = { identifier: 'c', region: 'us-west-2' };
    expect(configSchema.parse({ cluster }).export.file_limit).toBe(6 * 1024 ** 3);
    expect(await exportQuery(superuser, manyRows(2.5), 'files.txt')).toMatchObject({ files: 3 });
    const keys = ['files.txt', 'files.txt_part2', 'files.txt_part3'];
    expect(await testStack.keys('files.txt')).toEqual(keys);
    const files = await Promise.all(keys.map(async (key) => testStack.object(key)));
    expect(Buffer.concat(files)).toEqual(await testStack.copy(superuser, manyRows(2.5)));
    for (const file of files) expect(file.at(-1)).toBe(0x0a);
  },
  Region: async () => {
    const { endpoint, accessKeyId, secretAccessKey } = testStack.stack.aws;
    const elsewhere = new S3Client({
      endpoint,
      region: 'eu-central-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    const Bucket = 'elsewhere';
    await elsewhere.send(
      new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
    );
    const call = (region: string | null) =>
      superuser.query('SELECT aws_s3.query_export_to_s3($1, $2, $3, $4)', ['SELECT 1', Bucket, 'k', region]);
    await call('eu-central-1');
    const { Body } = await elsewhere.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await Body?.transformToString()).toBe('1\n');
    await expect(call(null)).rejects.toMatchObject({
      hint: expect.stringContaining('is in the Region eu-central-1, not us-west-2') as unknown,
    });
    elsewhere.destroy();
  },
  'A leading slash of the path': async () => {
    await exportQuery(superuser, 'SELECT 1', '//slashes');
    expect(await text('/slashes')).toBe('1\n');
  },
  '`kms_key`': async () => {
    const call = (kmsKey: string | null) =>
      superuser.query('SELECT aws_s3.query_export_to_s3($1, $2, $3, kms_key := $4)', [
        'SELECT 1',
        BUCKET,
        'encrypted',
        kmsKey,
      ]);
    await call('alias/of-a-test');
    expect(await head('encrypted')).toMatchObject({
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: expect.stringContaining('of-a-test') as unknown,
    });
    await call(null);
    expect((await head('encrypted')).SSEKMSKeyId).toBeUndefined();
  },
  'NULL query, bucket or file_path': async () => {
    const names = ['query', 'bucket', 'file_path'];
    for (const [index, name] of names.entries()) {
      const values = ['SELECT 1', BUCKET, 'k'].map((value, at) => (at === index ? null : value));
      await expect(
        superuser.query('SELECT aws_s3.query_export_to_s3($1, $2, $3)', values),
      ).rejects.toMatchObject({ code: '22004', message: `${name} must not be NULL` });
    }
  },
  'Upload errors': async () => {
    await expect(
      superuser.query(`SELECT aws_s3.query_export_to_s3('SELECT 1', 'no-such-bucket', 'k')`),
    ).rejects.toMatchObject({
      code: '58000',
      message: 'could not upload to Amazon S3',
      detail: "Amazon S3 client returned 'The specified bucket does not exist'.",
      hint: expect.stringContaining('no-such-bucket') as unknown,
    });
  },
  'No rows': async () => {
    const none = 'SELECT 1 AS one WHERE false';
    expect(await exportQuery(superuser, none, 'none')).toEqual({ rows: 0, files: 1, bytes: 0 });
    expect(await text('none')).toBe('');
    await exportQuery(superuser, none, 'none', 'format csv, header');
    expect(await text('none')).toBe('one\n');
  },
  'Content-Type': async (sluice) => {
    const types = { text: 'text/plain', csv: 'text/csv', binary: 'application/octet-stream' };
    for (const [format, type] of Object.entries(types)) {
      await exportQuery(superuser, 'SELECT 1', 'typed', `format ${format}`);
      const charset = format === 'binary' ? '' : '; charset=utf-8';
      expect((await head('typed')).ContentType).toBe(type + charset);
      expect(sluice).toContain(type);
    }
  },
  "No role, or one that can't be assumed": async () => {
    await account.withRoles([], () =>
      expect(exportQuery(superuser, 'SELECT 1', 'k')).rejects.toMatchObject(NO_CREDENTIALS),
    );
    await account.withRoles([`${ROLE}-none`], () =>
      expect(exportQuery(superuser, 'SELECT 1', 'k')).rejects.toMatchObject({
        ...NO_CREDENTIALS,
        detail: expect.stringContaining("AWS STS returned '") as unknown,
        hint: expect.stringContaining('trust policy') as unknown,
      }),
    );
  },
  'Who assumes the role': async () => {
    const { accessKeyId, secretAccessKey } = testStack.stack.aws;
    const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: undefined };
    await testStack.withAgentOf({ aws: keys }, async () => {
      const { hint = '' } = (await exportQuery(superuser, 'SELECT 1', 'k').catch(
        (error: unknown) => error,
      )) as pg.DatabaseError;
      const AWS = /trust policy must allow sts:AssumeRole to (arn:aws:iam::\d{12}:\S+) /.exec(hint)?.[1];
      expect(AWS, hint).toBeDefined();
      const [statement] = TRUST_RDS.Statement;
      await account.setTrust('test-export', {
        ...TRUST_RDS,
        Statement: [{ ...statement, Principal: { AWS } }],
      });
      await exportQuery(superuser, 'SELECT 1', 'k');
      await account.setTrust('test-export', TRUST_RDS);
    });
  },
  'Roles of a cluster': async () => {
    await expect(account.addRole(`${ROLE}-second`)).rejects.toMatchObject({
      name: 'DBClusterRoleAlreadyExistsFault',
    });
    await account.addRole(ROLE, 's3Import');
    expect((await account.roles()).map(({ arn }) => arn)).toEqual([ROLE, ROLE]);
    await account.removeRole(ROLE, 's3Import');
  },
  'RDS API': async (sluice) => {
    const DBInstanceIdentifier = (await rds.send(new DescribeDBInstancesCommand({}))).DBInstances?.[0]
      ?.DBInstanceIdentifier;
    const role = { DBInstanceIdentifier, RoleArn: ROLE, FeatureName: 's3Import' };
    await rds.send(new AddRoleToDBInstanceCommand(role));
    await rds.send(new RemoveRoleFromDBInstanceCommand(role));
    const { DBEngineVersions } = await rds.send(new DescribeDBEngineVersionsCommand({}));
    expect(DBEngineVersions?.[0]?.SupportedFeatureNames).toContain('s3Export');
    const { DBClusters } = await rds.send(new DescribeDBClustersCommand({}));
    expect(DBClusters?.[0]?.AssociatedRoles).toMatchObject([{ RoleArn: ROLE }]);
    for (const operation of [
      'AddRoleToDBCluster',
      'RemoveRoleFromDBCluster',
      'DescribeDBClusters',
      'DescribeDBEngineVersions',
    ]) {
      expect(sluice).toContain(operation);
    }
  },
};

const documented = (await readFile(new URL('README.md', ROOT), 'utf8'))
  .replace(/^.*\n## What is the same as on Aurora, and what is not\n(.*?)\n## .*$/s, '$1')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, what = '', , sluice = '']) => ({ what, sluice }));

describe("the README's table of what is the same as on Aurora", () => {
  it('has the rows that are shown here, and no others', () => {
    expect(documented.map(({ what }) => what)).toEqual(Object.keys(SHOWN));
  });

  it.each(documented)('$what', async ({ what, sluice }) => {
    await expect(SHOWN[what]?.(sluice)).resolves.toBeUndefined();
    await testStack.expectNothingLeft(superuser);
  });
});

/** Rows of ten bytes, enough for that number of files of FILE_LIMIT. */
function manyRows(files: number): string {
  return `SELECT lpad(g::text, 9) FROM generate_series(1, ${(FILE_LIMIT / 10) * files}) AS g`;
}
