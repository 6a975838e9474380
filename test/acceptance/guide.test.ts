import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { hasClient, runClient } from '../support/clients.ts';
import { TestStack } from '../support/test-stack.ts';

/** The data of the guide, and the table of its CSV and binary examples. */
const TABLES = `
  CREATE TABLE sample_table (bid bigint PRIMARY KEY, name varchar(80));
  INSERT INTO sample_table (bid,name) VALUES (1, 'Monday'), (2,'Tuesday'), (3, 'Wednesday');
  CREATE TABLE basic_test AS SELECT * FROM sample_table;`;

const SET_URI = `SELECT aws_commons.create_s3_uri(
   'sample-bucket',
   'sample-filepath',
   'us-west-2'
) AS s3_uri_1 \\gset
`;

/** Every export statement of the guide, unchanged, with the arguments with which COPY writes the same. */
const STATEMENTS: readonly [statement: string, table: string, copyOptions: string | undefined][] = [
  [
    `SELECT * FROM aws_s3.query_export_to_s3('SELECT * FROM sample_table', :'s3_uri_1');`,
    'sample_table',
    undefined,
  ],
  [
    `SELECT * FROM aws_s3.query_export_to_s3('SELECT * FROM sample_table', :'s3_uri_1', options :='format text');`,
    'sample_table',
    'format text',
  ],
  [
    `SELECT * from aws_s3.query_export_to_s3('select * from sample_table', 
     aws_commons.create_s3_uri('sample-bucket', 'sample-filepath', 'us-west-2') 
  );`,
    'sample_table',
    undefined,
  ],
  [
    `SELECT * from aws_s3.query_export_to_s3('select * from basic_test', :'s3_uri_1', options :='format csv, delimiter $$:$$');`,
    'basic_test',
    'format csv, delimiter $$:$$',
  ],
  [
    `SELECT * from aws_s3.query_export_to_s3('select * from basic_test', :'s3_uri_1', options :='format binary, encoding WIN1253');`,
    'basic_test',
    'format binary, encoding WIN1253',
  ],
  [
    `SELECT * from aws_s3.query_export_to_s3('select * from sample_table', 'sample-bucket', 'sample-filepath');`,
    'sample_table',
    undefined,
  ],
  [
    `SELECT * from aws_s3.query_export_to_s3('select * from sample_table', 'sample-bucket', 'sample-filepath','us-west-2');`,
    'sample_table',
    undefined,
  ],
  [
    `SELECT * from aws_s3.query_export_to_s3('select * from sample_table', 'sample-bucket', 'sample-filepath','us-west-2','format text');`,
    'sample_table',
    'format text',
  ],
];

let testStack: TestStack;
let superuser: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  await superuser.query(TABLES);
});
afterEach(async () => testStack.expectNothingLeft(superuser));
afterAll(async () => testStack?.stop());

describe('the guide, with the variable set as psql sets it', () => {
  it.each(STATEMENTS)('%s', async (statement, table, copyOptions) => {
    const uri = await superuser.query<{ s3_uri_1: string }>(
      SET_URI.replace('AS s3_uri_1 \\gset', '::text AS s3_uri_1'),
    );
    const { rows } = await superuser.query<object>(
      statement.replace(":'s3_uri_1'", `'${uri.rows[0]?.s3_uri_1}'`),
    );
    const expected = await testStack.copy(superuser, `SELECT * FROM ${table}`, copyOptions);
    expect(rows).toEqual([
      { rows_uploaded: '3', files_uploaded: '1', bytes_uploaded: String(expected.length) },
    ]);
    expect(await testStack.object('sample-filepath')).toEqual(expected);
  });

  it('CREATE EXTENSION IF NOT EXISTS aws_s3 CASCADE installs what it needs, and says so', async () => {
    await superuser.query('CREATE DATABASE fresh');
    const url = new URL(testStack.stack.postgres.url);
    url.pathname = '/fresh';
    const { default: driver } = await import('pg');
    const client = new driver.Client({ connectionString: url.href });
    const notices: string[] = [];
    client.on('notice', ({ message }) => notices.push(message ?? ''));
    await client.connect();
    try {
      await client.query('CREATE EXTENSION IF NOT EXISTS aws_s3 CASCADE');
      expect(notices).toContain('installing required extension "aws_commons"');
      const { rows } = await client.query<{ rows_uploaded: string }>(
        `SELECT * FROM aws_s3.query_export_to_s3('SELECT 1', 'sample-bucket', 'fresh')`,
      );
      expect(rows[0]?.rows_uploaded).toBe('1');
    } finally {
      await client.end();
    }
  });
});

describe.skipIf(!hasClient('psql'))('the guide, typed in psql', () => {
  it.each(STATEMENTS)('%s', async (statement, table, copyOptions) => {
    const psql = await runClient('psql', [testStack.stack.postgres.url, '-X', '-v', 'ON_ERROR_STOP=1'], {
      input: `${SET_URI}${statement}\n`,
    });
    const expected = await testStack.copy(superuser, `SELECT * FROM ${table}`, copyOptions);
    expect({ status: psql.status, stderr: psql.stderr }).toEqual({ status: 0, stderr: '' });
    expect(psql.stdout).toBe(` rows_uploaded | files_uploaded | bytes_uploaded 
---------------+----------------+----------------
             3 |              1 | ${String(expected.length).padStart(14)}
(1 row)

`);
    expect(await testStack.object('sample-filepath')).toEqual(expected);
  });
});
