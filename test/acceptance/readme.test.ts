import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { POSTGRES_MAJORS } from '../../packages/local/src/postgres/versions.ts';

const ROOT = join(import.meta.dirname, '../..');

it('the README names the versions of PostgreSQL that npm run test:matrix tests', async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const matrix = await readFile(join(ROOT, 'scripts/test-matrix.mjs'), 'utf8');
  const named = /^\| PostgreSQL versions\s+\|[^|]+\| ([\d, ]+):/m.exec(readme)?.[1];
  const tested = /^const ALL = \[(.*)\];$/m.exec(matrix)?.[1]?.replaceAll("'", '');
  expect(named).toBe(POSTGRES_MAJORS.join(', '));
  expect(tested).toBe(POSTGRES_MAJORS.join(', '));
});
