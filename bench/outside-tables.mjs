// One table exported from outside with one session, two and eight: against the same COPYs to /dev/null and to psql, against
// `psql | aws s3 cp`, and into a server that answers late. The exporter runs in a process of its own, whose CPU time and
// memory are shown; what it uploads is thrown away by another process. Medians, in turns.
//
//   npm run build && node bench/outside-tables.mjs [MB] [rounds]
import { execFile, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { medians } from './contenders.mjs';

const LATE_MS = 80;
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

const role = process.argv[2];
if (role === 'sink') serveSink();
else if (role === 'exporter') serveExporter();
else await measure(Number(role ?? 500), Number(process.argv[3] ?? 5));

async function measure(megabytes, rounds) {
  const { startTemporaryPostgres } = await import('@sluice/local');
  const { connectTo } = await import('sluice');
  const server = await startTemporaryPostgres();
  const client = await connectTo({ connectionString: server.url });
  const second = await connectTo({ connectionString: server.url });
  const sink = child('sink');
  const [{ endpoint }] = await once(sink, 'message');
  const exporter = child('exporter');
  const usages = new Map();
  const exportTable = async (name, { jobs, lateMs = 0 }) => {
    sink.send({ lateMs });
    await once(sink, 'message');
    exporter.send({ database: server.url, endpoint, jobs });
    const [{ usage, error }] = await once(exporter, 'message');
    if (error !== undefined) throw new Error(error);
    usages.set(name, [...(usages.get(name) ?? []), usage]);
  };
  await client.query(`CREATE TABLE t AS SELECT left(n || repeat('abcdefghij', 10), 99) AS pad
    FROM generate_series(1, ${Math.round(megabytes * 1e4)}) AS n`);
  await client.query('VACUUM ANALYZE t');
  const { rows } = await client.query(
    `SELECT pg_relation_size('t') / 8192 / 2 AS middle FROM (SELECT count(*) FROM t) warm`,
  );
  const half = (condition) =>
    `COPY (SELECT * FROM t WHERE ctid ${condition} '(${rows[0].middle},0)') TO '/dev/null'`;
  const run = promisify(execFile);
  const shell = (command) =>
    run('sh', ['-c', command], {
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: 'AKIABENCH',
        AWS_SECRET_ACCESS_KEY: 'bench',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_CONFIG_FILE: '/dev/null',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    });
  const psql = `psql '${server.url}' -c 'COPY t TO STDOUT'`;
  const contenders = {
    'COPY to /dev/null': () => client.query(`COPY t TO '/dev/null'`),
    'two COPYs to /dev/null, a half each': () =>
      Promise.all([client.query(half('<')), second.query(half('>='))]),
    ...(has('psql') ? { 'psql > /dev/null': () => shell(`${psql} > /dev/null`) } : {}),
    ...(has('psql') && has('aws')
      ? {
          'psql | aws s3 cp': () =>
            shell(`${psql} | aws s3 cp --quiet --endpoint-url ${endpoint} - s3://bench/rows`),
        }
      : {}),
  };
  for (const options of [{ jobs: 1 }, { jobs: 2 }, { jobs: 8 }, { jobs: 8, lateMs: LATE_MS }]) {
    const name = `sluice export --jobs ${options.jobs}${options.lateMs ? `, S3 answers after ${LATE_MS} ms` : ''}`;
    contenders[name] = () => exportTable(name, options);
  }
  const timesMs = await medians(contenders, { rounds, warmUp: 1 });
  const bytes = megabytes * 1e6;
  console.log(`${megabytes} MB in rows of 100 bytes, ${rounds} rounds, Node.js ${process.version}`);
  for (const tool of ['psql', 'aws']) if (!has(tool)) console.log(`There is no ${tool}: it is left out.`);
  console.table(
    Object.fromEntries(
      Object.entries(timesMs).map(([name, ms]) => {
        const cpu = usages
          .get(name)
          ?.map(({ cpuMs }) => cpuMs)
          .toSorted((a, b) => a - b);
        const rss = usages.get(name)?.map(({ maxRssBytes }) => maxRssBytes);
        return [
          name,
          {
            ms: Math.round(ms),
            'MB/s': Math.round(bytes / 1000 / ms),
            ...(cpu && {
              'CPU s/GiB': Number((((cpu[cpu.length >> 1] / 1000) * GIB) / bytes).toFixed(2)),
              'RSS MiB': Math.round(Math.max(...rss) / MIB),
            }),
          },
        ];
      }),
    ),
  );
  exporter.disconnect();
  sink.disconnect();
  await Promise.all([client.end(), second.end()]);
  await server.stop();
}

function child(part) {
  return fork(fileURLToPath(import.meta.url), [part]);
}

function has(tool) {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Speaks as much S3 as an upload needs. */
function serveSink() {
  let lateMs = 0;
  const server = http.createServer((request, response) => {
    request.resume();
    const answer = () => {
      if (request.method === 'PUT') response.setHeader('etag', '"0123456789abcdef0123456789abcdef"').end();
      else if (request.url?.includes('uploadId'))
        response.end(xml('CompleteMultipartUploadResult', '<ETag>"0-1"</ETag>'));
      else response.end(xml('InitiateMultipartUploadResult', '<UploadId>bench</UploadId>'));
    };
    request.on('end', () => (lateMs === 0 ? answer() : setTimeout(answer, lateMs)));
  });
  process.on('message', (message) => {
    ({ lateMs } = message);
    process.send({ lateMs });
  });
  process.on('disconnect', () => process.exit());
  server.listen(0, '127.0.0.1', () =>
    process.send({ endpoint: `http://127.0.0.1:${server.address().port}` }),
  );
}

function xml(root, content) {
  return `<?xml version="1.0"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`;
}

function serveExporter() {
  process.on('disconnect', () => process.exit());
  process.on('message', (message) => void exportOnce(message));
  async function exportOnce({ database, endpoint, jobs }) {
    try {
      const { exportTables, S3Connection } = await import('sluice');
      const connection = new S3Connection({
        region: 'us-east-1',
        endpoint,
        credentials: () => Promise.resolve({ accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' }),
      });
      const before = process.cpuUsage();
      const sampled = sampleRss();
      await exportTables({
        database,
        tables: ['public.t'],
        connection,
        bucket: 'bench',
        prefix: 'out/',
        jobs,
        fileSizeBytes: 16 * MIB,
        ifExists: 'overwrite',
      });
      const { user, system } = process.cpuUsage(before);
      process.send({ usage: { cpuMs: (user + system) / 1000, maxRssBytes: sampled() } });
      await connection.close();
    } catch (error) {
      process.send({ error: String(error.stack) });
    }
  }
}

/** The largest RSS until the function that it gives is called. */
function sampleRss() {
  let most = process.memoryUsage.rss();
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  return () => {
    clearInterval(timer);
    return most;
  };
}
