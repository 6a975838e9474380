import { describe, expect, it } from 'vitest';
import type { ExportState, TableState } from '../outside/export-state.ts';
import { formatProgress } from './export-progress.ts';

const table = (changes: Partial<TableState>): TableState => ({
  name: 'public.orders',
  pieces: 4,
  donePieces: 1,
  running: 2,
  estimatedRows: 1_000_000,
  estimatedBytes: 100_000_000,
  coveredBytes: 50_000_000,
  rows: 500_000,
  bytes: 50_000_000,
  ...changes,
});
const state = (changes: Partial<ExportState>): ExportState => ({
  phase: 'reading',
  tables: [
    table({}),
    table({
      name: 'public.small',
      donePieces: 1,
      pieces: 1,
      running: 0,
      rows: 10,
      bytes: 80,
      estimatedBytes: 100,
      coveredBytes: 100,
    }),
  ],
  storedBytes: 40_000_000,
  publishedFiles: 0,
  elapsedMs: 5_000,
  ...changes,
});

describe('formatProgress', () => {
  it('has a line for each table in work, and one for all', () => {
    expect(formatProgress(state({}), 100)).toEqual([
      'public.orders  [##########..........]   50%  500,000 rows  50.0 MB',
      'reading 1 of 2 tables   50%  500,010 rows  50.0 MB  10.0 MB/s  5.0 s left',
    ]);
  });

  it('leaves the bar out, shortens names and cuts lines where it is narrow', () => {
    const long = table({ name: 'a_schema.a_table_with_a_long_name' });
    const lines = formatProgress(state({ tables: [long] }), 40);
    expect(lines[0]).toBe('a_schema.a_t…   50%  500,000 rows  50.0 ');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
  });

  it('shows eight tables and counts the others', () => {
    const lines = formatProgress(state({ tables: Array.from({ length: 11 }, () => table({})) }), 100);
    expect(lines).toHaveLength(10);
    expect(lines[8]).toBe('and 3 more tables');
  });

  it('says no more than 99% before all is read, and nothing of a time left that it cannot know', () => {
    const low = table({ bytes: 900_000_000, coveredBytes: 100_000_000 });
    expect(formatProgress(state({ tables: [low] }), 100).at(-1)).toContain('  99%  ');
    const start = table({ bytes: 0, rows: 0, coveredBytes: 0 });
    expect(formatProgress(state({ tables: [start] }), 100).at(-1)).not.toContain('left');
  });

  it('says what else is done', () => {
    expect(formatProgress(state({ phase: 'publishing', publishedFiles: 1_234 }), 80)).toEqual([
      expect.stringContaining('public.orders') as unknown,
      'publishing 1,234 files',
    ]);
  });
});
