import { describe, expect, it } from 'vitest';
import type { ExportState, TableState } from '../outside/export-state.ts';
import { displayWidth } from './display-width.ts';
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

  it('leaves out what there is no room for, the least important first, and cuts no name without a sign', () => {
    const tables = [table({ name: 'a_schema.a_table_with_a_long_name' }), table({ running: 0 })];
    const narrow = (columns: number) => formatProgress(state({ tables }), columns);
    expect(narrow(60)).toEqual([
      'a_schema.a_table_wi…   50%  500,000 rows  50.0 MB',
      'reading 0 of 2 tables   50%  1,000,000 rows  5.0 s left',
    ]);
    expect(narrow(40)).toEqual([
      'a_schema.a_t…   50%  500,000 rows',
      'reading 0 of 2 tables   50%  5.0 s left',
    ]);
    expect(narrow(20)).toEqual(['a_sch…   50%', 'reading 0 of 2 tabl…']);
    for (let columns = 1; columns < 120; columns += 1) {
      for (const line of narrow(columns)) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('counts the columns that characters take, and shows no control character as it is', () => {
    const tables = [table({ name: 'public.日本語の表' }), table({ name: 'public.\u001b[2J\nx' })];
    const [first = '', second = ''] = formatProgress(state({ tables }), 100);
    expect(first).toContain('public.日本語の表   [');
    expect(second).toContain('public.\\u001b[2J x  [');
    expect(displayWidth(first.slice(0, first.indexOf('[')))).toBe(second.lastIndexOf('['));
    for (const line of formatProgress(state({ tables }), 30))
      expect(displayWidth(line)).toBeLessThanOrEqual(30);
  });

  it('has the same columns in all lines, whatever is in them', () => {
    const tables = [
      table({}),
      table({
        name: 'query',
        rows: 1_234_567,
        bytes: 999_999_999,
        estimatedBytes: 0,
        coveredBytes: 0,
        donePieces: 0,
      }),
    ];
    expect(formatProgress(state({ tables }), 75).slice(0, 2)).toEqual([
      'public.orders  [##########..........]   50%    500,000 rows  50.0 MB',
      'query                                        1,234,567 rows   1.0 GB',
    ]);
    // The second one alone would have room for its bytes.
    expect(formatProgress(state({ tables }), 45).slice(0, 2)).toEqual([
      'public.orders   50%    500,000 rows  50.0 MB',
      'query                1,234,567 rows   1.0 GB',
    ]);
    expect(formatProgress(state({ tables }), 42).slice(0, 2)).toEqual([
      'public.orders   50%    500,000 rows',
      'query                1,234,567 rows',
    ]);
  });

  it('has one line for one table', () => {
    expect(formatProgress(state({ tables: [table({})] }), 100)).toEqual([
      'public.orders  [##########..........]   50%  500,000 rows  50.0 MB  10.0 MB/s  5.0 s left',
    ]);
  });

  it('says no share of what PostgreSQL has no estimate of', () => {
    const unknown = table({ name: 'query', pieces: 1, donePieces: 0, estimatedBytes: 0, coveredBytes: 0 });
    expect(formatProgress(state({ tables: [unknown] }), 100)).toEqual([
      'query  500,000 rows  50.0 MB  10.0 MB/s',
    ]);
  });

  it('shows eight tables and counts the others', () => {
    const lines = formatProgress(state({ tables: Array.from({ length: 11 }, () => table({})) }), 100);
    expect(lines).toHaveLength(10);
    expect(lines[8]).toBe('and 3 more tables');
    const nine = Array.from({ length: 9 }, () => table({}));
    expect(formatProgress(state({ tables: nine }), 100)[8]).toBe('and 1 more table');
  });

  it('says no more than 99% before all is read, and nothing of a time left that it cannot know', () => {
    const low = table({ bytes: 900_000_000, coveredBytes: 100_000_000 });
    expect(formatProgress(state({ tables: [low] }), 100).at(-1)).toContain('  99%  ');
    expect(formatProgress(state({ elapsedMs: 500 }), 100).at(-1)).not.toContain('left');
    const start = table({ bytes: 0, rows: 0, coveredBytes: 0 });
    expect(formatProgress(state({ tables: [start] }), 100).at(-1)).not.toContain('left');
  });

  it('says what else is done', () => {
    expect(formatProgress(state({ phase: 'publishing', publishedFiles: 3 }), 80)).toEqual([
      expect.stringContaining('public.orders') as unknown,
      'publishing 3 of 5 files',
    ]);
  });
});
