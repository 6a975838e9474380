import type { PlanDescription } from '../outside/export-plan.ts';
import type { Tried } from '../outside/try-destination.ts';
import { formatBytes, formatCount } from './format-quantity.ts';

/** What --dry-run says, for people. */
export function formatPlan({
  tables,
  destination,
  leftOut,
  tried,
}: PlanDescription & { tried: Tried }): string {
  const nameWidth = Math.max(...tables.map(({ name }) => name.length), 'table'.length);
  const line = (name: string, ...columns: [rows: string, size: string, files: string]) =>
    `${name.padEnd(nameWidth)}  ${columns[0].padStart(16)}  ${columns[1].padStart(10)}  ${columns[2].padStart(7)}\n`;
  const known = tables.map(({ estimatedRows }) => estimatedRows ?? 0);
  const total = {
    rows: known.reduce((sum, rows) => sum + rows, 0),
    bytes: tables.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0),
    files: tables.reduce((sum, { files }) => sum + files, 0),
  };
  const about = (rows: number | undefined) => (rows === undefined ? '?' : `~${formatCount(rows)}`);
  return [
    line('table', 'rows', 'on disk', 'files'),
    ...tables.map(({ name, estimatedRows, estimatedBytes, files }) =>
      line(name, about(estimatedRows), formatBytes(estimatedBytes), formatCount(files)),
    ),
    ...(tables.length > 1
      ? [line('total', about(total.rows), formatBytes(total.bytes), formatCount(total.files))]
      : []),
    ...leftOut.map(
      (name) => `left out: ${name}, which is exported only when it is named without wildcards\n`,
    ),
    ...(tried.deletes === undefined
      ? []
      : [
          `--if-exists clean would delete ${formatCount(tried.deletes)} other ${tried.deletes === 1 ? 'object' : 'objects'}; it needs s3:DeleteObject, which cannot be tried without deleting\n`,
        ]),
    `an upload was opened and aborted for ${tried.uploads.join(' and ')}: this identity may store them\n`,
    `to ${destination}; nothing was exported\n`,
  ].join('');
}
