import type { ExportState, TableState } from '../outside/export-state.ts';
import { printableLine } from '../printable.ts';
import { displayWidth, padEnd, shorten } from './display-width.ts';
import { formatBytes, formatCount, formatDuration } from './format-quantity.ts';

const BAR_WIDTH = 20;
/** Tables in work that are shown; the others are counted. */
const MAX_TABLES = 8;
/** Of the share that is shown: an estimate may be too low. */
const MOST_BEFORE_THE_END = 0.99;
/** Before, nobody can tell how long it will take. */
const EARLY_MS = 1_000;

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
  const names = alignStart(shown.map((table) => nameOf(table, Math.floor(columns / 3))));
  const figures = alignFigures(shown.map(tableFigures));
  // Of all the same, or the columns would not be.
  const kept = keptOf(
    figures.map((each, index) => ({ label: names[index] ?? '', figures: each })),
    columns,
  );
  const lines = figures.map((each, index) => shorten(lineOf(names[index] ?? '', each, kept), columns));
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
  const isEarly = share === undefined || share < 0.01 || elapsedMs < EARLY_MS;
  const leftMs = isEarly ? undefined : (elapsedMs * (1 - share)) / share;
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
  return shorten(lineOf(label, figures, keptOf([{ label, figures }], columns)), columns);
}

/** Which figures all lines have room for. */
function keptOf(
  lines: readonly { label: string; figures: Figures }[],
  columns: number,
): ReadonlySet<keyof Figures> {
  const kept = new Set<keyof Figures>(IN_LINE);
  for (const name of DROPPED_FIRST) {
    if (lines.every(({ label, figures }) => displayWidth(lineOf(label, figures, kept)) <= columns)) break;
    kept.delete(name);
  }
  return kept;
}

function lineOf(label: string, figures: Figures, kept: ReadonlySet<keyof Figures>): string {
  return [
    label,
    ...IN_LINE.flatMap((name) => (kept.has(name) && figures[name] !== '' ? figures[name] : [])),
  ].join('  ');
}

function alignStart(texts: readonly string[]): string[] {
  const width = texts.reduce((most, text) => Math.max(most, displayWidth(text)), 0);
  return texts.map((text) => padEnd(text, width));
}

/** Numbers end, and what is not known is left out, in the same columns. */
function alignFigures(lines: readonly Figures[]): Figures[] {
  const width = (name: keyof Figures): number => Math.max(0, ...lines.map((figures) => figures[name].length));
  return lines.map((figures) => ({
    ...figures,
    share: figures.share.padStart(width('share')),
    rows: figures.rows.padStart(width('rows')),
    bytes: figures.bytes.padStart(width('bytes')),
    bar: figures.bar.padStart(width('bar')),
  }));
}

/**
 * By the pieces that are done, and the bytes of those in work against their estimate; never 1 before all are done, since
 * an estimate may be too low. Undefined before there is anything to go by.
 */
export function shareOf(tables: readonly TableState[]): number | undefined {
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
