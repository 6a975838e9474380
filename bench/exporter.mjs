// Exports synthetic rows to a server that throws them away, with Sluice's exporter and with the AWS SDK's own
// multipart upload, each in a process of its own, and prints speed, CPU time and memory.
//
//   npm run build && node bench/exporter.mjs [GiB]

import { fork } from 'node:child_process';
import http from 'node:http';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** The size of a read from a pipe. */
const CHUNK_BYTES = 64 * 1024;
const REGION = 'us-east-1';
const CREDENTIALS = { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' };

const ROWS = {
  text: '12345\tsome words of a customer\t2026-01-31 12:34:56.789\t3.14159\tt\n',
  'csv, no quotes': '12345,some words of a customer,2026-01-31 12:34:56.789,3.14159,t\n',
  'csv, all quoted': '"12345","some ""words"" of a customer","2026-01-31 12:34:56.789","3.14159","t"\n',
};

const CONTENDERS = {
  'sluice, text': (request) => exportWithSluice(request, 'text', { format: 'text', header: false }),
  'sluice, csv, no quotes': (request) => exportWithSluice(request, 'csv, no quotes', csv()),
  'sluice, csv, all quoted': (request) => exportWithSluice(request, 'csv, all quoted', csv()),
  '@aws-sdk/lib-storage': uploadWithSdk,
};
const REFERENCE = '@aws-sdk/lib-storage';

function csv() {
  return { format: 'csv', header: false, quote: '"', escape: '"', encoding: 'UTF8' };
}

/** The same rows repeated, all in one buffer, as when a pipe is read. */
async function* rows(kind, bytes) {
  const row = Buffer.from(ROWS[kind]);
  const stock = Buffer.alloc(CHUNK_BYTES + row.byteLength, row);
  for (let offset = 0; offset < bytes; offset += CHUNK_BYTES) {
    const phase = offset % row.byteLength;
    await Promise.resolve();
    yield stock.subarray(phase, phase + Math.min(CHUNK_BYTES, bytes - offset));
  }
}

async function exportWithSluice({ endpoint, bytes }, kind, rowFormat) {
  const { exportToS3 } = await import('../packages/sluice/dist/exporter/export-to-s3.js');
  const { S3Connection } = await import('../packages/sluice/dist/s3/connection.js');
  const connection = new S3Connection({
    region: REGION,
    endpoint,
    credentials: () => Promise.resolve(CREDENTIALS),
  });
  const source = rows(kind, bytes);
  const result = await exportToS3({ source, connection, bucket: 'bench', key: 'rows', rowFormat });
  await connection.close();
  if (result.bytes !== bytes) throw new Error(`stored ${result.bytes} bytes of ${bytes}`);
}

async function uploadWithSdk({ endpoint, bytes }) {
  const [{ S3Client }, { Upload }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/lib-storage'),
  ]);
  const client = new S3Client({ region: REGION, endpoint, credentials: CREDENTIALS, forcePathStyle: true });
  const Body = Readable.from(rows('text', bytes), { objectMode: false, highWaterMark: MIB });
  const params = { Bucket: 'bench', Key: 'rows', Body };
  await new Upload({ client, params, queueSize: 8, partSize: 8 * MIB }).done();
  client.destroy();
}

/** A server with as much of S3's protocol as an upload needs. It stores nothing. */
function serveSink() {
  const server = http.createServer((request, response) => {
    const url = request.url ?? '';
    request.resume();
    request.on('end', () => {
      if (request.method === 'PUT') response.setHeader('etag', '"0123456789abcdef0123456789abcdef"').end();
      else if (url.includes('uploadId'))
        response.end(xml('CompleteMultipartUploadResult', '<ETag>"0-1"</ETag>'));
      else response.end(xml('InitiateMultipartUploadResult', '<UploadId>bench</UploadId>'));
    });
  });
  server.listen(0, '127.0.0.1', () =>
    process.send?.({ endpoint: `http://127.0.0.1:${server.address().port}` }),
  );
}

function xml(root, content) {
  return `<?xml version="1.0" encoding="UTF-8"?><${root}><Bucket>bench</Bucket><Key>rows</Key>${content}</${root}>`;
}

async function runContender(name, request) {
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  await CONTENDERS[name](request);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  process.send?.({
    megabytesPerSecond: request.bytes / 1e6 / seconds,
    cpuSecondsPerGib: (user + system) / 1e6 / (request.bytes / GIB),
    peakRssMegabytes: (process.resourceUsage().maxRSS * 1024) / 1e6,
  });
  process.disconnect?.();
}

/** Starts this file as a child process with a role, and waits for its first message. */
function start(...role) {
  const child = fork(fileURLToPath(import.meta.url), role, { execArgv: ['--no-warnings'] });
  const answer = new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${role.join(' ')} ended with ${code}`)));
  });
  return { child, answer };
}

async function compare(gib) {
  const bytes = Math.round(gib * GIB);
  const sink = start('sink');
  const { endpoint } = await sink.answer;
  const results = {};
  for (const name of Object.keys(CONTENDERS)) {
    results[name] = await start('contender', name, JSON.stringify({ endpoint, bytes })).answer;
  }
  sink.child.kill();
  const reference = results[REFERENCE].megabytesPerSecond;
  console.log(`${gib} GiB, Node.js ${process.version}`);
  console.table(
    Object.fromEntries(
      Object.entries(results).map(([name, result]) => [
        name,
        {
          'MB/s': Math.round(result.megabytesPerSecond),
          'CPU s/GiB': Number(result.cpuSecondsPerGib.toFixed(2)),
          'peak RSS MB': Math.round(result.peakRssMegabytes),
          ratio: Number((result.megabytesPerSecond / reference).toFixed(2)),
        },
      ]),
    ),
  );
}

const [role = '2', ...rest] = process.argv.slice(2);
if (role === 'sink') serveSink();
else if (role === 'contender') await runContender(rest[0], JSON.parse(rest[1]));
else await compare(Number(role));
