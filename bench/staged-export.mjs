// Compares the staged way of an ordinary role with the direct way of a member of pg_write_server_files: the same query
// both ways and as COPY to /dev/null, in turns; medians.
//
//   npx tsc --build && node bench/staged-export.mjs [rounds] [rows]
import process from 'node:process';
import { BUCKET, medians, startBench } from './contenders.mjs';

const ROUNDS = Number(process.argv[2] ?? 5);
const ROWS = Number(process.argv[3] ?? 1_000_000);
const QUERY = `SELECT generate_series(1, ${ROWS}) AS id, repeat('x', 90) AS text`;
const exportOf = (query) => `SELECT aws_s3.query_export_to_s3($$${query}$$, '${BUCKET}', 'export')`;

const { superuser, ordinary, stop } = await startBench();
const medianMs = await medians(
  {
    'COPY to /dev/null': () => superuser.query(`COPY (${QUERY}) TO '/dev/null'`),
    'export, direct': () => superuser.query(exportOf(QUERY)),
    'export, staged': () => ordinary.query(exportOf(QUERY)),
    'one row, direct': () => superuser.query(exportOf('SELECT 1')),
    'one row, staged': () => ordinary.query(exportOf('SELECT 1')),
    'one record, staged': () => ordinary.query(exportOf('SELECT ROW(1, 2)')),
  },
  { rounds: ROUNDS, warmUp: 1 },
);
console.log(`${ROWS} rows, ${ROUNDS} rounds`);
for (const [name, ms] of Object.entries(medianMs)) {
  console.log(`${name.padEnd(20)} median ${ms.toFixed(1).padStart(8)} ms`);
}
await stop();
