import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ExportState } from '../outside/export-state.ts';
import { ProgressDisplay } from './progress-display.ts';

const table = {
  name: 'public.orders',
  pieces: 2,
  donePieces: 0,
  running: 1,
  estimatedRows: 10,
  estimatedBytes: 100,
  coveredBytes: 50,
  rows: 5,
  bytes: 50,
};
const state: ExportState = {
  phase: 'reading',
  tables: [table, { ...table, running: 0 }],
  storedBytes: 0,
  publishedFiles: 0,
  elapsedMs: 1_000,
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('draws a frame in one piece, and nothing after the end', () => {
  const written: string[] = [];
  const display = new ProgressDisplay({ isTTY: true, columns: 60, write: (text) => written.push(text) });
  vi.advanceTimersByTime(100);
  expect(written).toEqual([]);
  display.update(state);
  vi.advanceTimersByTime(200);
  const lines =
    'public.orders   50%  5 rows  50 B\nreading 0 of 2 tables   50%  10 rows  100 B  1.0 s left\n'.replace(
      'public.orders ',
      'public.orders  [##########..........] ',
    );
  expect(written).toEqual([lines, `\u001b[2A\u001b[J${lines}`]);
  display.note('a line that stays');
  expect(written.at(-1)).toBe('\u001b[2A\u001b[Ja line that stays\n');
  vi.advanceTimersByTime(100);
  display.end();
  display.end();
  vi.advanceTimersByTime(1_000);
  expect(written.slice(-2)).toEqual([lines, '\u001b[2A\u001b[J']);
});

it('is never wider than the terminal, less a column', () => {
  const written: string[] = [];
  const display = new ProgressDisplay({ isTTY: true, columns: 20, write: (text) => written.push(text) });
  display.update(state);
  vi.advanceTimersByTime(100);
  display.end();
  for (const line of written[0]?.split('\n') ?? []) expect(line.length).toBeLessThanOrEqual(19);
});

it('writes a plain line now and then where there is no terminal', () => {
  const written: string[] = [];
  const display = new ProgressDisplay({ write: (text) => written.push(text) });
  display.update({ ...state, tables: [table] });
  vi.advanceTimersByTime(25_000);
  display.end();
  const line = 'reading   50%  5 rows  50 B  50 B/s  1.0 s left\n';
  expect(written).toEqual([line, line]);
});
