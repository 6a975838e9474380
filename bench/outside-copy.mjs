// One COPY ... TO STDOUT over a connection, thrown away: by `psql > /dev/null`, by copyOut, and by a whole exportQuery into
// a server that keeps nothing; and what the server itself can do (COPY to /dev/null). Medians, in turns.
//
//   npm run build && node bench/outside-copy.mjs [MB] [rounds]
import { execFile, execFileSync } from 'node:child_process';
import http from 'node:http';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { startTemporaryPostgres } from '@sluice/local';
import { connectTo, exportQuery, S3Connection } from 'sluice';
import { copyOut } from '../packages/sluice/dist/source/copy-out.js';
import { medians } from './contenders.mjs';

const MEGABYTES = Number(process.argv[2] ?? 500);
const ROUNDS = Number(process.argv[3] ?? 7);
const GIB = 1024 ** 3;
const run = promisify(execFile);

/** Bytes of a row of text. */
const ROW_SIZES = [10, 100, 1000];

function hasPsql() {
  try {
    execFileSync('psql', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Speaks as much S3 as an upload needs. */
async function startSink() {
  const server = http.createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      if (request.method === 'PUT') response.setHeader('etag', '"0123456789abcdef0123456789abcdef"').end();
      else if (request.url?.includes('uploadId'))
        response.end(xml('CompleteMultipartUploadResult', '<ETag>"0-1"</ETag>'));
      else response.end(xml('InitiateMultipartUploadResult', '<UploadId>bench</UploadId>'));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, endpoint: `http://127.0.0.1:${server.address().port}` };
}

function xml(root, content) {
  return `<?xml version="1.0"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`;
}

async function discard(client, sql) {
  let bytes = 0;
  for await (const chunk of copyOut(client, sql)) bytes += chunk.byteLength;
  return bytes;
}

const server = await startTemporaryPostgres();
const client = await connectTo({ connectionString: server.url });
const sink = await startSink();
const connection = new S3Connection({
  region: 'us-east-1',
  endpoint: sink.endpoint,
  credentials: () => Promise.resolve({ accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' }),
});
if (!hasPsql()) console.log('There is no psql: it is left out.');
for (const rowBytes of ROW_SIZES) {
  await client.query(`DROP TABLE IF EXISTS t`);
  await client.query(`CREATE TABLE t AS
    SELECT left(n || repeat('abcdefghij', ${rowBytes / 10}), ${rowBytes - 1}) AS pad
    FROM generate_series(1, ${Math.round((MEGABYTES * 1e6) / rowBytes)}) AS n`);
  await client.query('VACUUM t');
  await client.query('SELECT count(*) FROM t');
  const sql = 'COPY t TO STDOUT';
  const contenders = {
    ...(hasPsql() ? { psql: () => run('sh', ['-c', `psql '${server.url}' -c '${sql}' > /dev/null`]) } : {}),
    copyOut: () => discard(client, sql),
    'exportQuery, to a sink': () =>
      exportQuery({ database: client, query: 'SELECT * FROM t', connection, bucket: 'bench', key: 'rows' }),
    'COPY to /dev/null': () => client.query(`COPY t TO '/dev/null'`),
  };
  const timesMs = await medians(contenders, { rounds: ROUNDS, warmUp: 1 });
  const cpuBefore = process.cpuUsage();
  const bytes = await discard(client, sql);
  const { user, system } = process.cpuUsage(cpuBefore);
  console.log(
    `rows of ${rowBytes} bytes, ${Math.round(bytes / 1e6)} MB, ${ROUNDS} rounds, Node.js ${process.version}`,
  );
  console.table(
    Object.fromEntries(
      Object.entries(timesMs).map(([name, ms]) => [
        name,
        {
          ms: Math.round(ms),
          'MB/s': Math.round(bytes / 1000 / ms),
          ratio: Number((ms / (timesMs.psql ?? ms)).toFixed(2)),
        },
      ]),
    ),
  );
  const perGib = (microseconds) => ((microseconds / 1e6 / bytes) * GIB).toFixed(2);
  console.log(`copyOut: ${perGib(user)} s user and ${perGib(system)} s system for each GiB\n`);
}
await client.end();
await connection.close();
sink.server.close();
await server.stop();
