import type { ExportState, TableState } from '../outside/export-state.ts';
import { formatBytes, formatCount, formatDuration } from './format-quantity.ts';

const BAR_WIDTH = 20;
/** Tables in work that are shown; the others are counted. */
const MAX_TABLES = 8;
const NARROWEST = 40;
/** Of the share that is shown: an estimate may be too low. */
const MOST_BEFORE_THE_END = 0.99;

/** How far an export is, as lines of at most `columns` characters: one a table in work, and one for all. */
export function formatProgress(state: ExportState, columns: number): string[] {
  const width = Math.max(columns, NARROWEST);
  const inWork = state.tables.filter(({ running, donePieces, pieces }) => running > 0 && donePieces < pieces);
  const shown = inWork.slice(0, MAX_TABLES);
  const nameWidth = Math.min(Math.max(0, ...shown.map(({ name }) => name.length)), Math.floor(width / 3));
  const lines = shown.map((table) => cut(formatTable(table, nameWidth, width), width));
  if (inWork.length > shown.length) lines.push(`and ${inWork.length - shown.length} more tables`);
  return [...lines, cut(formatTotal(state), width)];
}

function formatTable(table: TableState, nameWidth: number, width: number): string {
  const { name, rows, bytes } = table;
  const share = shareOf([table]);
  const figures = `${percent(share)}  ${formatCount(rows)} rows  ${formatBytes(bytes)}`;
  const bar = width >= nameWidth + BAR_WIDTH + figures.length + 4 ? `${barOf(share)}  ` : '';
  return `${shorten(name, nameWidth).padEnd(nameWidth)}  ${bar}${figures}`;
}

/** `reading 3 of 40 tables  45%  1,234,567 rows  1.2 GB  210 MB/s  1 min 05 s left` */
function formatTotal({ phase, tables, publishedFiles, elapsedMs }: ExportState): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  if (phase === 'publishing') return `publishing ${formatCount(publishedFiles)} files`;
  const done = tables.filter((table) => table.donePieces === table.pieces).length;
  const of = tables.length === 1 ? '' : ` ${done} of ${tables.length} tables`;
  const rate = elapsedMs > 0 ? bytes / (elapsedMs / 1000) : 0;
  const share = shareOf(tables);
  const leftMs = share > 0.01 ? (elapsedMs * (1 - share)) / share : undefined;
  const left = leftMs === undefined || share >= MOST_BEFORE_THE_END ? '' : `  ${formatDuration(leftMs)} left`;
  return `reading${of}  ${percent(share)}  ${formatCount(rows)} rows  ${formatBytes(bytes)}  ${formatBytes(rate)}/s${left}`;
}

/**
 * By the pieces that are done, and the bytes of those in work against their estimate; never 1 before all are done, since
 * an estimate may be too low.
 */
export function shareOf(tables: readonly TableState[]): number {
  const pieces = tables.reduce((sum, table) => sum + table.pieces, 0);
  const donePieces = tables.reduce((sum, table) => sum + table.donePieces, 0);
  if (pieces === donePieces) return 1;
  const estimated = tables.reduce((sum, table) => sum + table.estimatedBytes, 0);
  const covered = tables.reduce((sum, { coveredBytes }) => sum + coveredBytes, 0);
  return Math.min(estimated > 0 ? covered / estimated : donePieces / pieces, MOST_BEFORE_THE_END);
}

function percent(share: number): string {
  return `${Math.floor(share * 100)}%`.padStart(4);
}

function barOf(share: number): string {
  const full = Math.round(share * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
}

function shorten(name: string, width: number): string {
  return name.length <= width ? name : `${name.slice(0, Math.max(0, width - 1))}…`;
}

function cut(line: string, width: number): string {
  return line.slice(0, width);
}
