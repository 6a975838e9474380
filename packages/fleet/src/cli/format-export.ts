import { formatBytes, formatCount, formatDuration, printable } from 'sluice/cli';
import type { ExportState } from 'sluice';
import type { FleetError, FleetExport } from '../fleet-export.ts';
import { formatColumns } from './format-columns.ts';
import { percentOf, stateOf } from './format-status.ts';
import { formatInstant } from './format-time.ts';

const TITLE_WIDTH = 'destination'.length;

/** All that is known of an export, for people. */
export function formatExport(shown: FleetExport, { now }: { now: Date }): string {
  const { id, source, destination, schedule, worker, attempts, progress, error } = shown;
  const lines: [title: string, value: string | undefined][] = [
    ['export', id],
    ['state', `${stateOf(shown)}${attempts > 1 ? `, attempt ${attempts}` : ''}`],
    ['source', source],
    ['destination', destination],
    ['schedule', schedule],
    ['worker', worker],
    ...timesOf(shown, now),
    ...resultOf(shown),
  ];
  return [
    ...lines
      .filter(([, value]) => value !== undefined)
      .map(([title, value]) => `${title.padEnd(TITLE_WIDTH)}  ${value}`),
    ...(error === undefined ? [] : ['', ...linesOfError(error)]),
  ]
    .map((line) => `${printable(line)}\n`)
    .concat(progress === undefined ? [] : ['\n', tablesOf(progress)])
    .join('');
}

function timesOf(
  { submittedAt, startedAt, endedAt }: FleetExport,
  now: Date,
): [string, string | undefined][] {
  const since = startedAt ?? submittedAt;
  const tookMs = (endedAt ?? now).getTime() - since.getTime();
  const took = formatDuration(Math.max(0, tookMs));
  return [
    ['submitted', formatInstant(submittedAt)],
    ['begun', startedAt === undefined ? undefined : formatInstant(startedAt)],
    ['ended', endedAt === undefined ? undefined : formatInstant(endedAt)],
    [endedAt === undefined && startedAt === undefined ? 'waiting for' : 'time', took],
  ];
}

function resultOf({ result }: FleetExport): [string, string | undefined][] {
  if (result === undefined) return [];
  const { rows, files, bytes, storedBytes, manifestUrl } = result;
  return [
    ['rows', formatCount(Number(rows))],
    ['files', formatCount(files)],
    [
      'size',
      bytes === storedBytes
        ? formatBytes(bytes)
        : `${formatBytes(bytes)}, ${formatBytes(storedBytes)} stored`,
    ],
    ['manifest', manifestUrl],
  ];
}

/** As psql writes them. */
function linesOfError({ message, detail, hint }: FleetError): string[] {
  return [
    `ERROR:  ${message}`,
    ...(detail === undefined ? [] : [`DETAIL:  ${detail}`]),
    ...(hint === undefined ? [] : [`HINT:  ${hint}`]),
  ];
}

function tablesOf({ tables }: ExportState): string {
  return formatColumns(
    [
      { title: 'DONE', align: 'right' },
      { title: 'PIECES', align: 'right' },
      { title: 'ROWS', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'TABLE' },
    ],
    tables.map((table) => [
      percentOf([table]),
      `${table.donePieces}/${table.pieces}`,
      formatCount(table.rows),
      formatBytes(table.bytes),
      table.name,
    ]),
  );
}
