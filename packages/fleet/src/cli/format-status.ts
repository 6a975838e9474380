import { formatCount, printableLine, shareOf } from 'sluice/cli';
import type { TableState } from 'sluice';
import type { FleetExport } from '../fleet-export.ts';
import { formatColumns, type Column } from './format-columns.ts';
import { formatAge } from './format-time.ts';

/** Below, where an export goes has a line of its own. */
const WIDE = 120;
const LONGEST_LINE = 1_200;
/** Exports that have ended are shown up to so many. */
const ENDED_SHOWN = 10;

const COLUMNS: readonly Column[] = [
  { title: 'ID' },
  { title: 'STATE' },
  { title: 'DONE', align: 'right' },
  { title: 'ROWS', align: 'right' },
  { title: 'AGE', align: 'right' },
  { title: 'SOURCE' },
];

export interface FleetStatus {
  exports: readonly FleetExport[];
  workers: readonly { source: string; name: string }[];
  /** Names of sources of which nothing new is begun. */
  paused: readonly string[];
}

export interface StatusView {
  now: Date;
  /** Of the terminal; none without one. */
  width?: number | undefined;
  /** Show every export that is known. */
  all?: boolean | undefined;
}

/** The exports that wait, run, and have ended of late; the workers; what is paused. */
export function formatStatus({ exports, workers, paused }: FleetStatus, view: StatusView): string {
  const { shown, leftOut } = choose(exports, view.all === true);
  return [
    shown.length === 0 ? 'no exports\n' : formatExports(shown, view),
    leftOut === 0 ? '' : `and ${leftOut} more that have ended: --all\n`,
    '\n',
    workers.length === 0 ? 'no workers: start some with sluice worker\n' : formatWorkers(workers),
    ...(paused.length === 0 ? [] : [`\npaused: ${paused.join(', ')} (sluice fleet resume)\n`]),
  ].join('');
}

/** Those under way first, then the newest. */
function choose(exports: readonly FleetExport[], all: boolean): { shown: FleetExport[]; leftOut: number } {
  const newestFirst = exports.toSorted((a, b) => b.submittedAt.getTime() - a.submittedAt.getTime());
  const open = newestFirst.filter(({ endedAt }) => endedAt === undefined);
  const ended = newestFirst.filter(({ endedAt }) => endedAt !== undefined);
  const shownEnded = all ? ended : ended.slice(0, ENDED_SHOWN);
  return { shown: [...open, ...shownEnded], leftOut: ended.length - shownEnded.length };
}

function formatExports(exports: readonly FleetExport[], { now, width = Infinity }: StatusView): string {
  const cells = (shown: FleetExport) => [
    shown.id,
    stateOf(shown),
    doneOf(shown),
    rowsOf(shown),
    formatAge(now.getTime() - shown.submittedAt.getTime()),
    shown.source,
  ];
  if (width >= WIDE) {
    const columns = [...COLUMNS, { title: 'WORKER' }, { title: 'DESTINATION' }];
    const rows = exports.map((shown) => [...cells(shown), shown.worker ?? '', shown.destination]);
    return formatColumns(columns, rows, { width });
  }
  const [titles = '', ...lines] = formatColumns(COLUMNS, exports.map(cells), { width }).trimEnd().split('\n');
  const below = exports.map(({ destination, worker }) => {
    const text = `  ${destination}${worker === undefined ? '' : `  on ${worker}`}`;
    return printableLine(text, LONGEST_LINE);
  });
  return [titles, ...lines.flatMap((line, index) => [line, below[index] ?? ''])]
    .map((line) => `${line}\n`)
    .join('');
}

function formatWorkers(workers: FleetStatus['workers']): string {
  const sources = new Map<string, Set<string>>();
  for (const { name, source } of workers) sources.set(name, (sources.get(name) ?? new Set()).add(source));
  const rows = [...sources]
    .map(([name, of]) => [name, [...of].toSorted().join(', ')])
    .toSorted(([a = ''], [b = '']) => a.localeCompare(b));
  return formatColumns([{ title: 'WORKER' }, { title: 'SOURCES' }], rows);
}

/** Empty before there is anything to go by. */
export function percentOf(tables: readonly TableState[]): string {
  const share = shareOf(tables);
  return share === undefined ? '' : `${Math.floor(share * 100)}%`;
}

/** What it does, rather than only that it runs. */
export function stateOf({ state, progress }: FleetExport): string {
  return state === 'running' && progress?.phase === 'publishing' ? 'publishing' : state;
}

/** `45%`; nothing where it is not known, or of no interest. */
export function doneOf({ state, progress }: FleetExport): string {
  if (state === 'done') return '100%';
  if (state !== 'running' || progress === undefined) return '';
  return percentOf(progress.tables);
}

export function rowsOf({ result, progress }: FleetExport): string {
  if (result !== undefined) return formatCount(Number(result.rows));
  if (progress === undefined) return '';
  return formatCount(progress.tables.reduce((sum, { rows }) => sum + rows, 0));
}
