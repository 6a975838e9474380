// One large export, with its progress from PostgreSQL's own progress view.
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { setTimeout as sleep } from 'node:timers/promises';
import { BUCKET } from './guide.mjs';
import { bar, good, heading, megabytes, progressLine, say, typed } from './terminal.mjs';
import { psqlTable } from './psql-table.mjs';

const ROWS = 2_000_000;
const KEY = 'large/readings.csv';
const SQL = `SELECT * FROM aws_s3.query_export_to_s3(
  'SELECT id, id % 1000 AS sensor, repeat(md5(id::text), 5) AS reading
   FROM generate_series(1, ${ROWS}) AS id',
  '${BUCKET}', '${KEY}', options := 'format csv, header true');`;

/**
 * @param client runs the export
 * @param watcher another connection, which reads the progress
 */
export async function exportLarge({ client, watcher, s3 }) {
  heading(`One large query: ${ROWS.toLocaleString('en')} rows`);
  typed('postgres=#', SQL);
  const { rows: own } = await client.query('SELECT pg_backend_pid() AS pid');
  const startedAt = performance.now();
  const exporting = client.query({ text: SQL, rowMode: 'array' });
  await watch(watcher, own[0].pid, exporting);
  const result = await exporting;
  const seconds = (performance.now() - startedAt) / 1000;
  say(psqlTable(result));

  const bytes = Number(result.rows[0][2]);
  const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: KEY }));
  if (ContentLength !== bytes) throw new Error(`${KEY} has ${ContentLength} bytes, not ${bytes}`);
  good(
    `${megabytes(bytes)} in ${seconds.toFixed(1)} s: ${megabytes(bytes / seconds)}/s from query to object`,
  );
  return KEY;
}

/** Shows the progress until the export has succeeded or failed. */
async function watch(watcher, pid, exporting) {
  const ended = exporting.then(
    () => 'ended',
    () => 'ended',
  );
  const line = progressLine();
  try {
    do {
      const { rows } = await watcher.query(
        'SELECT tuples_processed AS rows, bytes_processed AS bytes FROM pg_stat_progress_copy WHERE pid = $1',
        [pid],
      );
      const copied = rows[0];
      if (copied !== undefined) {
        const fraction = Number(copied.rows) / ROWS;
        line.show(`${bar(fraction)} ${Math.floor(fraction * 100)}% ${megabytes(Number(copied.bytes))}`);
      }
    } while ((await Promise.race([ended, sleep(100)])) !== 'ended');
  } finally {
    line.end();
  }
}
