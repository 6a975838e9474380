import type { ExportState, TableState } from '../outside/export-state.ts';
import { printableLine } from '../printable.ts';
import { displayWidth, padEnd, shorten } from './display-width.ts';
import { formatBytes, formatCount, formatDuration } from './format-quantity.ts';

const BAR_WIDTH = 20;
/** Tables in work that are shown; the others are counted. */
const MAX_TABLES = 8;
/** Of the share that is shown: an estimate may be too low. */
const MOST_BEFORE_THE_END = 0.99;

/** What is known of a table, or of all. Where there is no room for all of it, what comes first here stays longest. */
interface Figures {
  share: string;
  left: string;
  rows: string;
  bytes: string;
  rate: string;
  bar: string;
}

const IN_LINE = ['bar', 'share', 'rows', 'bytes', 'rate', 'left'] as const satisfies (keyof Figures)[];
const DROPPED_FIRST = ['bar', 'rate', 'bytes', 'rows', 'left', 'share'] as const satisfies (keyof Figures)[];

/** How far an export is, as lines that are no wider than that: one a table in work, and one for all if there are several. */
export function formatProgress(state: ExportState, columns: number): string[] {
  if (state.tables.length === 1 && state.phase !== 'publishing') {
    const name = nameOf(state.tables[0], Math.floor(columns / 3));
    return [fit(name, { ...totalFigures(state), bar: barOf(shareOf(state.tables)) }, columns)];
  }
  const inWork = state.tables.filter(({ running, donePieces, pieces }) => running > 0 && donePieces < pieces);
  const shown = inWork.slice(0, MAX_TABLES);
  const names = shown.map((table) => nameOf(table, Math.floor(columns / 3)));
  const nameWidth = Math.max(0, ...names.map(displayWidth));
  const lines = shown.map((table, index) =>
    fit(padEnd(names[index] ?? '', nameWidth), tableFigures(table), columns),
  );
  const others = inWork.length - shown.length;
  if (others > 0) lines.push(shorten(`and ${others} more ${others === 1 ? 'table' : 'tables'}`, columns));
  return [...lines, formatTotal(state, columns)];
}

/** `reading 3 of 40 tables  45%  1,234,567 rows  1.2 GB  210 MB/s  1 min 05 s left` */
export function formatTotal(state: ExportState, columns: number): string {
  const { phase, tables, publishedFiles } = state;
  if (phase === 'publishing') {
    const files = tables.reduce((sum, { pieces }) => sum + pieces, 0);
    const what = files === 1 ? 'file' : 'files';
    return shorten(`publishing ${formatCount(publishedFiles)} of ${formatCount(files)} ${what}`, columns);
  }
  const done = tables.filter((table) => table.donePieces === table.pieces).length;
  const of = tables.length === 1 ? '' : ` ${done} of ${tables.length} tables`;
  return fit(`reading${of}`, totalFigures(state), columns);
}

function tableFigures(table: TableState): Figures {
  const share = shareOf([table]);
  return {
    share: percent(share),
    left: '',
    rows: `${formatCount(table.rows)} rows`,
    bytes: formatBytes(table.bytes),
    rate: '',
    bar: barOf(share),
  };
}

function totalFigures({ tables, elapsedMs }: ExportState): Figures {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  const share = shareOf(tables);
  const leftMs = share !== undefined && share > 0.01 ? (elapsedMs * (1 - share)) / share : undefined;
  const isNearEnd = share !== undefined && share >= MOST_BEFORE_THE_END;
  return {
    share: percent(share),
    left: leftMs === undefined || isNearEnd ? '' : `${formatDuration(leftMs)} left`,
    rows: `${formatCount(rows)} rows`,
    bytes: formatBytes(bytes),
    rate: `${formatBytes(elapsedMs > 0 ? bytes / (elapsedMs / 1000) : 0)}/s`,
    bar: '',
  };
}

function fit(label: string, figures: Figures, columns: number): string {
  const dropped = new Set<keyof Figures>();
  const line = (): string =>
    [
      label,
      ...IN_LINE.flatMap((name) => (dropped.has(name) || figures[name] === '' ? [] : figures[name])),
    ].join('  ');
  for (const name of DROPPED_FIRST) {
    if (displayWidth(line()) <= columns) break;
    dropped.add(name);
  }
  return shorten(line(), columns);
}

/**
 * By the pieces that are done, and the bytes of those in work against their estimate; never 1 before all are done, since
 * an estimate may be too low. Undefined before there is anything to go by.
 */
function shareOf(tables: readonly TableState[]): number | undefined {
  const pieces = tables.reduce((sum, table) => sum + table.pieces, 0);
  const donePieces = tables.reduce((sum, table) => sum + table.donePieces, 0);
  if (pieces === donePieces) return 1;
  const estimated = tables.reduce((sum, table) => sum + table.estimatedBytes, 0);
  const covered = tables.reduce((sum, { coveredBytes }) => sum + coveredBytes, 0);
  if (estimated === 0) return donePieces === 0 ? undefined : donePieces / pieces;
  return Math.min(covered / estimated, MOST_BEFORE_THE_END);
}

function percent(share: number | undefined): string {
  return share === undefined ? '' : `${Math.floor(share * 100)}%`.padStart(4);
}

function barOf(share: number | undefined): string {
  if (share === undefined) return '';
  const full = Math.round(share * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
}

function nameOf(table: TableState | undefined, columns: number): string {
  return shorten(printableLine(table?.name ?? '', Infinity), columns);
}
