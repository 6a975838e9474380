// What the staged way of an ordinary role costs against the direct way of a member of pg_write_server_files: the same
// query both ways and as COPY to /dev/null, in turns; medians.
//
//   npx tsc --build && node bench/staged-export.mjs [rounds] [rows]
import process from 'node:process';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startLocal } from '@sluice/local';
import pg from 'pg';

const ROUNDS = Number(process.argv[2] ?? 5);
const ROWS = Number(process.argv[3] ?? 1_000_000);
const QUERY = `SELECT generate_series(1, ${ROWS}) AS id, repeat('x', 90) AS text`;

const stack = await startLocal();
const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws;
const credentials = { accessKeyId, secretAccessKey };
const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
await s3.send(new CreateBucketCommand({ Bucket: 'bench' }));

const superuser = new pg.Client({ connectionString: stack.postgres.url });
await superuser.connect();
await superuser.query(`
  CREATE ROLE ordinary LOGIN PASSWORD 'secret';
  GRANT USAGE ON SCHEMA aws_s3 TO ordinary;
  GRANT EXECUTE ON FUNCTION aws_s3.query_export_to_s3(text, text, text, text, text, text) TO ordinary;`);
const url = new URL(stack.postgres.url);
url.username = 'ordinary';
url.password = 'secret';
const ordinary = new pg.Client({ connectionString: url.href });
await ordinary.connect();

const exportOf = (query) => `SELECT aws_s3.query_export_to_s3($$${query}$$, 'bench', 'export')`;
const contenders = {
  'COPY to /dev/null': () => superuser.query(`COPY (${QUERY}) TO '/dev/null'`),
  'export, direct': () => superuser.query(exportOf(QUERY)),
  'export, staged': () => ordinary.query(exportOf(QUERY)),
  'one row, direct': () => superuser.query(exportOf('SELECT 1')),
  'one row, staged': () => ordinary.query(exportOf('SELECT 1')),
  'one record, staged': () => ordinary.query(exportOf('SELECT ROW(1, 2)')),
};

const timesMs = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
for (let round = -1; round < ROUNDS; round += 1) {
  for (const [name, run] of Object.entries(contenders)) {
    const start = performance.now();
    await run();
    if (round >= 0) timesMs[name].push(performance.now() - start);
  }
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
console.log(`${ROWS} rows, ${ROUNDS} rounds`);
for (const [name, times] of Object.entries(timesMs)) {
  console.log(`${name.padEnd(20)} median ${median(times).toFixed(1).padStart(8)} ms`);
}

await Promise.all([superuser.end(), ordinary.end()]);
s3.destroy();
await stack.stop();
