// How much longer a small export takes than the PutObject in it: medians of both, which alternate in one run.
//
//   npx tsc --build && node bench/small-export.mjs [rounds]
import process from 'node:process';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { BUCKET, medians, startBench } from './contenders.mjs';

const ROUNDS = Number(process.argv[2] ?? 300);
const BODY = Buffer.from('1\n');
const EXPORT = `SELECT * FROM aws_s3.query_export_to_s3('SELECT 1', '${BUCKET}', 'export')`;
const BASE = 'PutObject alone';

const { s3, superuser, ordinary, stop } = await startBench();
const medianMs = await medians(
  {
    [BASE]: () => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'put', Body: BODY })),
    'export, direct': () => superuser.query(EXPORT),
    'export, staged': () => ordinary.query(EXPORT),
  },
  { rounds: ROUNDS, warmUp: 20 },
);
for (const [name, ms] of Object.entries(medianMs)) {
  const above = (ms - medianMs[BASE]).toFixed(1).padStart(6);
  console.log(`${name.padEnd(16)} median ${ms.toFixed(1).padStart(6)} ms   above PutObject ${above} ms`);
}
await stop();
