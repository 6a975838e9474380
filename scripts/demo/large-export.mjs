// One large export, with its progress as PostgreSQL itself reports it.
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { setTimeout as sleep } from 'node:timers/promises';
import { BUCKET } from './guide.mjs';
import { bar, good, heading, megabytes, progressLine, say, typed } from './terminal.mjs';
import { psqlTable } from './psql-table.mjs';

const ROWS = 4_000_000;
const KEY = 'large/orders.csv';
const SQL = `SELECT * FROM aws_s3.query_export_to_s3(
  'SELECT id, md5(id::text) AS token, id % 1000 AS customer, id * 0.25 AS total,
          ''2026-01-01''::date + (id % 365)::int AS ordered_on, ''shipped, with a signature'' AS note
   FROM generate_series(1, ${ROWS}::bigint) AS id',
  '${BUCKET}', '${KEY}', options := 'format csv, header true');`;

/**
 * @param client runs the export
 * @param watcher another connection, which looks on
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

/** Shows progress until the export has ended, well or not. */
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
