import { printableLine } from 'sluice/cli';

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

const GAP = '  ';
const LONGEST_CELL = 1_000;

/**
 * Rows below titles, each column as wide as its widest cell. The last one gets what is left of `width`: a longer cell
 * loses its beginning, as paths are told apart by their ends.
 */
export function formatColumns(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width = Infinity }: { width?: number } = {},
): string {
  const cells = rows.map((row) => columns.map((_, index) => printableLine(row[index] ?? '', LONGEST_CELL)));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const last = columns.length - 1;
  const before = widths.slice(0, last).reduce((sum, each) => sum + each + GAP.length, 0);
  const room = Math.max(width - before, columns[last]?.title.length ?? 0);
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => {
        if (index === last) return endOf(text, room);
        const target = widths[index] ?? 0;
        return columns[index]?.align === 'right' ? text.padStart(target) : text.padEnd(target);
      })
      .join(GAP)
      .trimEnd();
  return [columns.map(({ title }) => title), ...cells].map((texts) => `${line(texts)}\n`).join('');
}

function endOf(text: string, room: number): string {
  return text.length <= room ? text : `…${text.slice(text.length - room + 1)}`;
}
