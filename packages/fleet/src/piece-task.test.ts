import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { openTask, sealTask, type PieceTask } from './piece-task.ts';
import { Seal } from './seal.ts';

const seal = new Seal(randomBytes(32).toString('base64'));
const owner = { export: 'x1', attempt: 'a1', piece: 0 };
const task: PieceTask = {
  job: { id: 0, table: 0, sql: 'COPY t TO STDOUT', hasHeaderLine: false, key: 'k', estimatedBytes: 1 },
  settings: { bucket: 'b', compression: undefined, object: {} },
  snapshot: { id: '00000003-0000001B-1', serverVersion: 180_000 },
  tables: [],
  region: 'us-west-2',
};
const data = {
  ...owner,
  table: 'public.t',
  key: 'k',
  estimatedBytes: 1,
  task: sealTask(seal, 'sales', owner, task),
};

it('is opened by the workers of its source, for its job', () => {
  expect(openTask(seal, 'sales', 'x1.a1.0', data)).toMatchObject({ job: task.job, region: task.region });
});

it.each([
  ['another source', 'hr', 'x1.a1.0', data],
  ['another job', 'sales', 'x1.a1.1', data],
  ['another piece', 'sales', 'x1.a1.1', { ...data, piece: 1 }],
  ['another attempt', 'sales', 'x1.a2.0', { ...data, attempt: 'a2' }],
])('is not opened for %s', (_, source, jobId, changed) => {
  expect(() => openTask(seal, source, jobId, changed)).toThrow(
    expect.objectContaining({ code: 'protocol_violation' }),
  );
});
