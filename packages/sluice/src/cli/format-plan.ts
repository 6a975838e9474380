import type { PlanDescription } from '../outside/export-plan.ts';
import type { Tried } from '../outside/try-destination.ts';
import { printableLine } from '../printable.ts';
import { displayWidth, padEnd } from './display-width.ts';
import { formatBytes, formatCount } from './format-quantity.ts';

/** What --dry-run says, for people. */
export function formatPlan({
  tables,
  destination,
  leftOut,
  tried,
}: PlanDescription & { tried: Tried }): string {
  const names = tables.map(({ name }) => printableLine(name, Infinity));
  const nameWidth = names.reduce((width, name) => Math.max(width, displayWidth(name)), 'table'.length);
  const line = (name: string, ...columns: [rows: string, size: string, files: string]) =>
    `${padEnd(name, nameWidth)}  ${columns[0].padStart(16)}  ${columns[1].padStart(10)}  ${columns[2].padStart(7)}\n`;
  const rows = tables.map(({ estimatedRows }) => estimatedRows);
  const total = {
    rows: rows.every((count) => count !== undefined)
      ? rows.reduce((sum, count) => sum + count, 0)
      : undefined,
    bytes: tables.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0),
    files: tables.reduce((sum, { files }) => sum + files, 0),
  };
  const about = (count: number | undefined) => (count === undefined ? '?' : `~${formatCount(count)}`);
  return [
    line('table', 'rows', 'on disk', 'files'),
    ...tables.map(({ estimatedRows, estimatedBytes, files }, index) =>
      line(names[index] ?? '', about(estimatedRows), formatBytes(estimatedBytes), formatCount(files)),
    ),
    ...(tables.length > 1
      ? [line('total', about(total.rows), formatBytes(total.bytes), formatCount(total.files))]
      : []),
    ...leftOut.map(
      (name) =>
        `left out: ${printableLine(name, Infinity)}, which is exported only when it is named without wildcards\n`,
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
