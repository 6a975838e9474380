// The demo: with a real PostgreSQL and a local AWS, it follows the guide from its first step to its last.
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startLocal } from '@sluice/local';
import { Client } from 'pg';
import { setUpAccess } from './access.mjs';
import { BUCKET, EXPORTS, KEY, MAKE_URI, REFUSED, TABLES } from './guide.mjs';
import { exportLarge } from './large-export.mjs';
import { readHead } from './object-head.mjs';
import { exportTable } from './parallel-export.mjs';
import { psqlTable } from './psql-table.mjs';
import { failure, good, heading, indent, remark, say, typed } from './terminal.mjs';

/** Runs the demo in a temporary folder. @returns {Promise<number>} the exit status */
export async function runDemo() {
  const stopping = new AbortController();
  const onSignal = (name) => stopping.abort(new Error(`stopped by ${name}`));
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, onSignal);
  try {
    await tell(stopping.signal);
    return 0;
  } catch (error) {
    failure(describe(error));
    return 1;
  }
}

async function tell(signal) {
  heading('Starting PostgreSQL, a local AWS (S3, IAM, STS, RDS), and the Sluice agent between them');
  const stack = await startLocal({ log: remark }, { signal });
  const clients = [];
  try {
    good(`PostgreSQL on port ${stack.postgres.port}, AWS at ${stack.aws.endpoint}`);
    const connect = async () => {
      const client = new Client({ connectionString: stack.postgres.url });
      clients.push(client);
      // An error of the connection also rejects the current query.
      client.on('error', () => undefined);
      await client.connect();
      return client;
    };
    const { region, endpoint, accessKeyId, secretAccessKey } = stack.aws;
    const s3 = new S3Client({
      region,
      endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    const story = tellStory({ stack, client: await connect(), watcher: await connect(), s3, signal });
    await Promise.race([story, aborted(signal)]);
    s3.destroy();
  } finally {
    heading('Stopping everything');
    await Promise.allSettled(clients.map((client) => client.end()));
    await stack.stop(signal.aborted ? { hurry: signal } : {});
  }
  good('stopped; the temporary folder is removed');
  say('\nTo keep one running and try it yourself: npx sluice local');
}

async function tellStory({ stack, client, watcher, s3, signal }) {
  heading('Something to export, and a bucket');
  for (const sql of TABLES) {
    typed('postgres=#', sql);
    say(commandTag(sql, await client.query(sql)));
  }
  typed('$', `aws s3 mb s3://${BUCKET}`);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  say(`make_bucket: ${BUCKET}`);

  heading('Before the cluster has a role, an export is refused');
  await showRefusal(client);

  heading('Access to the bucket, as the guide sets it up');
  await setUpAccess(stack);

  heading("The export examples of Amazon Aurora's user guide");
  typed('postgres=#', MAKE_URI);
  const made = await client.query(MAKE_URI.replace('\\gset', ''));
  const uri = client.escapeLiteral(made.rows[0].s3_uri_1);
  for (const { about, sql } of EXPORTS) {
    if (about !== undefined) remark(`\n${about}`);
    typed('postgres=#', sql);
    const result = await client.query({ text: sql.replaceAll(":'s3_uri_1'", uri), rowMode: 'array' });
    say(psqlTable(result));
    await showObject(s3, KEY, Number(result.rows[0][2]));
  }

  const key = await exportLarge({ client, watcher, s3 });
  await showObject(s3, key);

  await showObject(s3, await exportTable({ stack, client, s3 }, signal));
}

async function showRefusal(client) {
  const { sql } = REFUSED;
  typed('postgres=#', sql);
  try {
    await client.query(sql);
  } catch (error) {
    if (error.code !== '28000') throw error;
    say(`ERROR:  ${error.message}`);
    if (error.hint !== undefined) say(`HINT:  ${error.hint}`);
    return;
  }
  throw new Error('the export was not refused');
}

/** psql's output after a statement without a result. */
function commandTag(sql, { command, rowCount }) {
  return command === 'INSERT' ? `INSERT 0 ${rowCount}` : sql.split(' ').slice(0, 2).join(' ');
}

async function showObject(s3, key, expectedBytes) {
  const { contentType, totalBytes, shown } = await readHead(s3, BUCKET, key);
  if (expectedBytes !== undefined && totalBytes !== expectedBytes) {
    throw new Error(`s3://${BUCKET}/${key} has ${totalBytes} bytes, not ${expectedBytes}`);
  }
  remark(`s3://${BUCKET}/${key} (${contentType}, ${totalBytes.toLocaleString('en')} bytes)`);
  say(indent(shown));
}

function aborted(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function describe(error) {
  if (!(error instanceof Error)) return String(error);
  return [error.message, error.detail, error.hint].filter(Boolean).join('\n');
}
