import { describe, expect, it } from 'vitest';
import type { FleetExport } from '../fleet-export.ts';
import { formatStatus, type FleetStatus } from './format-status.ts';

const now = new Date('2026-11-25T02:30:00Z');
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000);

const table = {
  name: 'public.orders',
  pieces: 4,
  donePieces: 1,
  running: 2,
  estimatedRows: 1_000_000,
  estimatedBytes: 100_000_000,
  coveredBytes: 45_000_000,
  rows: 1_234_567,
  bytes: 45_000_000,
};
const shown = (changes: Partial<FleetExport>): FleetExport => ({
  id: 'x0123456789abcdef0123',
  source: 'sales',
  destination: 's3://sample-bucket/sales/2026-11-25/',
  schedule: undefined,
  state: 'waiting',
  attempts: 0,
  worker: undefined,
  progress: undefined,
  result: undefined,
  error: undefined,
  submittedAt: minutesAgo(3),
  startedAt: undefined,
  endedAt: undefined,
  ...changes,
});
const running = shown({
  state: 'running',
  worker: 'host-1:4711',
  startedAt: minutesAgo(3),
  progress: { phase: 'reading', tables: [table], storedBytes: 1, publishedFiles: 0, elapsedMs: 1_000 },
});
const done = shown({
  id: 'nightly@1764036900000',
  state: 'done',
  submittedAt: minutesAgo(300),
  endedAt: minutesAgo(290),
  result: { files: 3, rows: 5n, bytes: 80, storedBytes: 80, manifestUrl: undefined },
});
const status = (changes: Partial<FleetStatus>): FleetStatus => ({
  exports: [],
  workers: [],
  paused: [],
  ...changes,
});

describe('formatStatus', () => {
  it('has a line for where each goes, where the terminal is narrow', () => {
    expect(formatStatus(status({ exports: [done, running] }), { now, width: 80 })).toBe(
      [
        'ID                     STATE    DONE       ROWS  AGE  SOURCE',
        'x0123456789abcdef0123  running   45%  1,234,567   3m  sales',
        '  s3://sample-bucket/sales/2026-11-25/  on host-1:4711',
        'nightly@1764036900000  done     100%          5   5h  sales',
        '  s3://sample-bucket/sales/2026-11-25/',
        '',
        'no workers: start some with sluice worker',
        '',
      ].join('\n'),
    );
  });

  it('has one line for each where it is wide, and a destination that is too long loses its beginning', () => {
    const long = shown({ destination: `s3://sample-bucket/${'deep/'.repeat(20)}end/` });
    const [, first = '', second = ''] = formatStatus(status({ exports: [running, long] }), {
      now,
      width: 120,
    }).split('\n');
    expect(first).toBe(
      'x0123456789abcdef0123  running   45%  1,234,567   3m  sales   host-1:4711  s3://sample-bucket/sales/2026-11-25/',
    );
    expect(second).toMatch(/ {2}….*\/deep\/end\/$/);
    expect(second.length).toBe(120);
  });

  it('groups the sources of each worker, and names what is paused', () => {
    const workers = [
      { source: 'sales', name: 'b:2' },
      { source: 'archive', name: 'b:2' },
      { source: 'sales', name: 'a:1' },
    ];
    expect(formatStatus(status({ workers, paused: ['sales'] }), { now })).toBe(
      'no exports\n\nWORKER  SOURCES\na:1     sales\nb:2     archive, sales\n\npaused: sales (sluice fleet resume)\n',
    );
  });

  it('shows those under way, the newest ten that have ended, and counts the rest', () => {
    const ended = Array.from({ length: 12 }, (_, index) =>
      shown({ id: `e${index}`, state: 'failed', submittedAt: minutesAgo(index), endedAt: now }),
    );
    const text = formatStatus(status({ exports: [...ended, running] }), { now });
    expect(text.split('\n')[1]).toContain('running');
    expect(text).toContain('e9 ');
    expect(text).not.toContain('e10 ');
    expect(text).toContain('and 2 more that have ended: --all\n');
    expect(formatStatus(status({ exports: ended }), { now, all: true })).toContain('e11 ');
  });

  it('lets no name from Redis control the terminal', () => {
    const evil = shown({
      source: 'a\u001b[2Jb\nc',
      destination: 's3://b/\u001b]0;x\u0007/',
      worker: '\u009b1m',
    });
    for (const width of [80, 200]) {
      expect(formatStatus(status({ exports: [evil] }), { now, width })).not.toMatch(/(?!\n)\p{Cc}/u);
    }
  });
});
