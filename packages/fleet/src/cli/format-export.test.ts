import { expect, it } from 'vitest';
import type { FleetExport } from '../fleet-export.ts';
import { formatExport } from './format-export.ts';

const now = new Date('2026-11-25T02:20:00Z');
const base: FleetExport = {
  id: 'nightly@1764036900000',
  source: 'sales',
  destination: 's3://sample-bucket/sales/2026-11-25/',
  schedule: 'nightly',
  state: 'running',
  attempts: 1,
  worker: 'host-1:4711',
  progress: {
    phase: 'reading',
    tables: [
      {
        name: 'public.orders',
        pieces: 4,
        donePieces: 1,
        running: 2,
        estimatedRows: undefined,
        estimatedBytes: 100,
        coveredBytes: 45,
        rows: 1_234,
        bytes: 45,
      },
    ],
    storedBytes: 1,
    publishedFiles: 0,
    elapsedMs: 1_000,
  },
  result: undefined,
  error: undefined,
  submittedAt: new Date('2026-11-25T02:15:00Z'),
  startedAt: new Date('2026-11-25T02:15:01Z'),
  endedAt: undefined,
};

it('shows an export that runs with its tables', () => {
  expect(formatExport(base, { now })).toBe(`export       nightly@1764036900000
state        running
source       sales
destination  s3://sample-bucket/sales/2026-11-25/
schedule     nightly
worker       host-1:4711
submitted    2026-11-25 02:15:00 UTC
begun        2026-11-25 02:15:01 UTC
time         4 min 59 s

DONE  PIECES   ROWS  SIZE  TABLE
 45%     1/4  1,234  45 B  public.orders
`);
});

it('shows what an export has failed by, as psql does, and lets it not control the terminal', () => {
  const error = { code: undefined, message: 'a\u001b[2J', detail: 'The detail.', hint: 'The hint.' };
  const failed: FleetExport = {
    ...base,
    state: 'failed',
    attempts: 3,
    progress: undefined,
    endedAt: new Date('2026-11-25T02:16:31Z'),
    error,
  };
  const text = formatExport(failed, { now });
  expect(text).toContain('state        failed, attempt 3\n');
  expect(text).toContain('time         1 min 30 s\n');
  expect(text).toMatch(/\n\nERROR: {2}a\\u001b\[2J\nDETAIL: {2}The detail\.\nHINT: {2}The hint\.\n$/);
});

it('shows what an export has stored', () => {
  const manifestUrl = 's3://sample-bucket/sales/2026-11-25/manifest.json';
  const result = { rows: 12_345n, files: 3, bytes: 2_000_000, storedBytes: 500_000, manifestUrl };
  const text = formatExport({ ...base, state: 'done', progress: undefined, endedAt: now, result }, { now });
  expect(text).toContain('rows         12,345\nfiles        3\nsize         2.0 MB, 500 kB stored\n');
  expect(text).toContain(`manifest     ${manifestUrl}\n`);
});
