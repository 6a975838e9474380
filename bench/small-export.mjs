// What a small export costs above the PutObject that it needs: medians of the two, alternating in one run.
//
//   npx tsc --build && node bench/small-export.mjs [rounds]
import process from 'node:process';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startLocal } from '@sluice/local';
import pg from 'pg';

const ROUNDS = Number(process.argv[2] ?? 300);
const WARM_UP = 20;
const BODY = Buffer.from('1\n');

const stack = await startLocal();
const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws;
const s3 = new S3Client({
  endpoint,
  region,
  forcePathStyle: true,
  credentials: { accessKeyId, secretAccessKey },
});
await s3.send(new CreateBucketCommand({ Bucket: 'bench' }));
await stack.allowExports('bench');

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

const EXPORT = `SELECT * FROM aws_s3.query_export_to_s3('SELECT 1', 'bench', 'export')`;
const contenders = {
  'PutObject alone': () => s3.send(new PutObjectCommand({ Bucket: 'bench', Key: 'put', Body: BODY })),
  'export, direct': () => superuser.query(EXPORT),
  'export, staged': () => ordinary.query(EXPORT),
};

const timesMs = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
for (let round = -WARM_UP; round < ROUNDS; round += 1) {
  for (const [name, run] of Object.entries(contenders)) {
    const start = performance.now();
    await run();
    if (round >= 0) timesMs[name].push(performance.now() - start);
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const base = median(timesMs['PutObject alone']);
for (const [name, times] of Object.entries(timesMs)) {
  const ms = median(times);
  console.log(
    `${name.padEnd(16)} median ${ms.toFixed(1).padStart(6)} ms   above PutObject ${(ms - base).toFixed(1).padStart(6)} ms`,
  );
}

await Promise.all([superuser.end(), ordinary.end()]);
s3.destroy();
await stack.stop();
