// Compressed exports against what people do without Sluice, psql | gzip | aws s3 cp: the same query both ways, one alone
// and four at once, in turns; medians. Needs psql, gzip and aws, and a machine that does little else.
//
//   npm run build && node bench/compression.mjs [rounds] [rows]
import { execFile } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import process from 'node:process';
import { promisify } from 'node:util';
import pg from 'pg';
import { BUCKET, medians, startBench } from './contenders.mjs';

const ROUNDS = Number(process.argv[2] ?? 3);
const ROWS = Number(process.argv[3] ?? 2_000_000);
const AT_ONCE = 4;
/** Above it, the figures would be those of something else. */
const MOST_LOAD = 2.5;
const QUERY = `SELECT g AS id, 'order ' || g % 9973 AS name, md5((g % 50000)::text) AS hash, now() AS at FROM generate_series(1, ${ROWS}) AS g`;

const [load = 0] = loadavg();
if (load > MOST_LOAD) {
  console.error(`Not measured: the load of this machine is ${load.toFixed(1)}, above ${MOST_LOAD}.`);
  process.exit(1);
}

const { stack, superuser, stop } = await startBench();
const url = stack.postgres.url;
const sessions = await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    const session = new pg.Client({ connectionString: url });
    await session.connect();
    return session;
  }),
);

function exportWith(compression, session, index) {
  const options = `format csv, compression ${compression}`;
  return session.query(
    `SELECT aws_s3.query_export_to_s3($$${QUERY}$$, '${BUCKET}', '${compression}/${index}', options := '${options}')`,
  );
}

async function pipeline(tool, index) {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws;
  const copy = `psql --no-psqlrc --quiet "$DATABASE" --command "COPY ($QUERY) TO STDOUT (FORMAT csv)"`;
  const store = `aws s3 cp --quiet --endpoint-url ${endpoint} - s3://${BUCKET}/${tool}/piped-${index}`;
  await promisify(execFile)('bash', ['-c', `set -o pipefail; ${copy} | ${tool} | ${store}`], {
    env: {
      ...process.env,
      DATABASE: url,
      QUERY,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
  });
}

const several = (run) => Promise.all(sessions.map(run));
/** The agent runs on this Node.js. */
const hasZstd = await exportWith('zstd', superuser, 'first').then(
  () => true,
  () => false,
);
const contenders = Object.fromEntries(
  (hasZstd ? ['gzip', 'zstd'] : ['gzip']).flatMap((tool) => [
    [`${tool}: sluice`, () => exportWith(tool, superuser, 0)],
    [`${tool}: pipeline`, () => pipeline(tool, 0)],
    [`${tool}: ${AT_ONCE} sluice`, () => several((session, index) => exportWith(tool, session, index))],
    [`${tool}: ${AT_ONCE} pipelines`, () => several((_, index) => pipeline(tool, index))],
  ]),
);
const medianMs = await medians(contenders, { rounds: ROUNDS, warmUp: 1 });
console.log(`${ROWS} rows, ${ROUNDS} rounds, ${availableParallelism()} cores, Node.js ${process.version}`);
if (!hasZstd) console.log('zstd was not measured: this Node.js has none.');
for (const [name, ms] of Object.entries(medianMs)) {
  const other = medianMs[name.replace(/sluice$/, name.includes(String(AT_ONCE)) ? 'pipelines' : 'pipeline')];
  const ratio = name.endsWith('sluice') ? `   ${(other / ms).toFixed(2)} x the pipeline's speed` : '';
  console.log(`${name.padEnd(20)} median ${(ms / 1000).toFixed(2).padStart(7)} s${ratio}`);
}
await Promise.all(sessions.map((session) => session.end()));
await stop();
