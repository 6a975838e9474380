// A whole table from outside, over several sessions on one snapshot: sluice export, as a person would type it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { BUCKET } from './guide.mjs';
import { good, heading, typed } from './terminal.mjs';

const PROGRAM = fileURLToPath(new URL('../../packages/sluice/bin/sluice.js', import.meta.url));
const ROWS = 500_000;
const PREFIX = 'tables/';
const TABLE = `CREATE TABLE readings AS
  SELECT id, id % 1000 AS sensor, repeat(md5(id::text), 5) AS reading FROM generate_series(1, ${ROWS}) AS id`;

/** @returns {Promise<string>} the key of the first file */
export async function exportTable({ stack, client, s3 }, signal) {
  heading('A whole table from outside: no agent, several sessions, one snapshot');
  typed('postgres=#', TABLE);
  await client.query(TABLE);
  const args = ['export', `s3://${BUCKET}/${PREFIX}`, '--table', 'public.readings', '--jobs', '2'];
  const more = ['--options', 'format csv, header true', '--file-size', '32MiB'];
  typed(
    '$',
    `sluice ${args.join(' ')} \\\n    ${more.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ')}`,
  );
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws;
  const child = spawn(process.execPath, [PROGRAM, ...args, ...more, '--database', stack.postgres.url], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: '',
    },
    signal,
    killSignal: 'SIGTERM',
  });
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`sluice export ended with status ${status}`);
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: PREFIX }));
  const files = Contents.filter(({ Key }) => Key !== `${PREFIX}manifest.json`);
  if (files.length < 2 || files.length === Contents.length)
    throw new Error(`expected several files and a manifest below s3://${BUCKET}/${PREFIX}`);
  for (const { Key, Size } of files) good(`${Key}  ${Size.toLocaleString('en')} bytes`);
  return files[0].Key;
}
