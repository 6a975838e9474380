import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type { Manifest } from '../../packages/sluice/src/index.ts';
import { ExportPlan } from '../../packages/sluice/src/outside/export-plan.ts';
import { runPlan } from '../../packages/sluice/src/outside/run-plan.ts';
import { arbitraryExports, type ExportSettings } from '../support/arbitrary-export.ts';
import { arbitraryName, arbitraryTables, type GeneratedTable } from '../support/arbitrary-tables.ts';
import { copiedBy } from '../support/copied-rows.ts';
import { expectSameRows } from '../support/piece-sessions.ts';
import { StackWithStandby } from '../support/standby.ts';
import { rowsIn } from '../support/stored-rows.ts';
import { TableWriters } from '../support/table-writers.ts';
import { BUCKET, POSTGRES_MAJOR, type TestStack } from '../support/test-stack.ts';

/**
 * Exports of whole tables: all files together hold the rows that COPY writes on the same snapshot, each once, while other
 * sessions insert, update, delete and vacuum. The standby gets a third of the tables more.
 */

/** SLUICE_GENERATED_TABLES=200 for the whole of it; each is exported in all formats. */
const TABLES = Number(process.env['SLUICE_GENERATED_TABLES'] ?? 20);
/** Printed, so that a run can be repeated. */
const SEED = Number(process.env['SLUICE_GENERATED_SEED'] ?? Date.now() % 2 ** 31);
const TABLES_IN_A_GROUP = 10;
const GROUP_TIMEOUT_MS = 120_000;
const JOBS = 3;

const sql = pg.escapeIdentifier;

let stack: StackWithStandby;
let testStack: TestStack;
let superuser: pg.Client;
let exportCount = 0;

beforeAll(async () => {
  stack = await StackWithStandby.start([
    // What vacuum removes on the primary waits for the export on the standby.
    'ALTER SYSTEM SET max_standby_streaming_delay = -1',
    'ALTER SYSTEM SET hot_standby_feedback = on',
    'ALTER SYSTEM SET autovacuum = off',
  ]);
  ({ testStack } = stack);
  superuser = await testStack.connect();
});
afterEach(async () => {
  const { Uploads = [] } = await testStack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  expect(Uploads).toEqual([]);
});
afterAll(async () => stack?.stop());

interface Totals {
  tables: number;
  exports: number;
  rows: number;
  files: number;
  writes: Record<string, number>;
}

describe.each(['the primary', 'the standby'] as const)('on %s', (source) => {
  const isStandby = source === 'the standby';
  const groups = Math.ceil(TABLES / TABLES_IN_A_GROUP / (isStandby ? 3 : 1));
  it(
    `${groups * TABLES_IN_A_GROUP} generated tables in every format (seed ${SEED})`,
    async () => {
      const totals: Totals = { tables: 0, exports: 0, rows: 0, files: 0, writes: {} };
      const group = fc.record({
        schema: arbitraryName(),
        tables: arbitraryTables({ isUnloggedAllowed: !isStandby }),
        exports: arbitraryExports({ hasTextHeader: POSTGRES_MAJOR >= 15 }),
      });
      const property = fc.asyncProperty(group, async ({ schema, tables, exports }) => {
        await exportGroup({ schema, tables, exports, isStandby, totals });
      });
      // Nothing shrinks what depends on other sessions.
      const run = await fc.check(property, { seed: SEED, numRuns: groups, endOnFailure: true });
      if (run.failed) throw new Error(`SLUICE_GENERATED_SEED=${SEED}`, { cause: run.errorInstance });
      const { writes, ...counts } = totals;
      console.log(
        `${source}: ${JSON.stringify(counts)}, meanwhile committed: ${JSON.stringify(writes)}; SLUICE_GENERATED_SEED=${SEED}`,
      );
      expect(Object.values(writes).every((count) => count > 0)).toBe(true);
    },
    GROUP_TIMEOUT_MS * (groups + 1),
  );
});

async function exportGroup({
  schema,
  tables,
  exports,
  isStandby,
  totals,
}: {
  schema: string;
  tables: readonly GeneratedTable[];
  exports: readonly ExportSettings[];
  isStandby: boolean;
  totals: Totals;
}): Promise<void> {
  await superuser.query(`CREATE SCHEMA ${sql(schema)}; SET search_path = ${sql(schema)}`);
  for (const table of tables) for (const statement of table.create) await superuser.query(statement);
  if (isStandby) await stack.caughtUp();
  const writers = await TableWriters.start(testStack, tables, sql(schema));
  try {
    for (const settings of exports) {
      const source = isStandby ? stack.standby.url : testStack.stack.postgres.url;
      await expectSameAsCopy({ source, schema, tables, settings, writers, totals });
    }
  } finally {
    await writers.stop();
  }
  await superuser.query(`DROP SCHEMA ${sql(schema)} CASCADE`);
  totals.tables += tables.length;
}

async function expectSameAsCopy({
  source,
  schema,
  tables,
  settings,
  writers,
  totals,
}: {
  source: string;
  schema: string;
  tables: readonly GeneratedTable[];
  settings: ExportSettings;
  writers: TableWriters;
  totals: Totals;
}): Promise<void> {
  const { copyOptions, layout, compression, isSplitById, fileSizeBytes } = settings;
  const exported = tables
    .filter(({ hasId }) => hasId || !isSplitById)
    .flatMap((table) => table.exported)
    .map((table) => ({ ...table, sqlName: `${sql(schema)}.${sql(table.name)}` }));
  exportCount += 1;
  const prefix = `tables-${exportCount}/`;
  const request = {
    database: source,
    tables: exported.map(({ sqlName }) => sqlName),
    connection: testStack.s3Connection,
    bucket: BUCKET,
    prefix,
    copyOptions,
    compression,
    splitBy: isSplitById ? 'id' : undefined,
    jobs: JOBS,
    fileSizeBytes,
  };
  // As exportTables does it, with a look at the snapshot in between.
  await using plan = await ExportPlan.open(request);
  const reader = new pg.Client({ connectionString: source });
  await reader.connect();
  try {
    await reader.query(
      `BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '${plan.keeper.snapshot.id}'`,
    );
    // The tables are not any more what they are on the snapshot.
    await writers.everyKindOnceMore();
    const before = writers.committed;
    const { rows } = await runPlan(plan, request);
    const during = writers.since(before);
    expect(Object.values(during).some((count) => count > 0)).toBe(true);
    for (const [kind, count] of Object.entries(during)) {
      totals.writes[kind] = (totals.writes[kind] ?? 0) + count;
    }
    const manifest = JSON.parse((await testStack.object(`${prefix}manifest.json`)).toString()) as Manifest;
    const stored = await storedRows(manifest, settings);
    for (const { name, sqlName, isCopiedByQuery } of exported) {
      const what = isCopiedByQuery ? `(SELECT * FROM ${sqlName})` : sqlName;
      const copied = await copiedBy(reader, `COPY ${what} TO STDOUT (${copyOptions})`);
      const expected = rowsIn(Buffer.from(copied.join(''), 'latin1'), layout);
      const own = stored.get(`${schema}.${name}`) ?? [];
      try {
        expectSameRows(own.flat(), expected);
      } catch (error) {
        throw new Error(`${sqlName}, ${JSON.stringify(settings)}: ${String(error)}`, { cause: error });
      }
      expect(manifest.tables.find((table) => table.name === `${schema}.${name}`)).toMatchObject({
        record_count: expected.length,
        files: own.length,
      });
    }
    expect(manifest.tables).toHaveLength(exported.length);
    expect(await allKeys(prefix)).toEqual(
      [...manifest.entries.map(({ url }) => keyOf(url)), `${prefix}manifest.json`].toSorted(),
    );
    const [toasted] = tables.find(({ kind }) => kind === 'toasted')?.exported ?? [];
    expect(stored.get(`${schema}.${toasted?.name}`)?.length).toBeGreaterThan(2);
    totals.exports += 1;
    totals.rows += Number(rows);
    totals.files += manifest.entries.length;
  } finally {
    await reader.end();
  }
}

/** The rows of each file of each table, which are as many, and whose object is as long, as the manifest says. */
async function storedRows(
  { entries }: Manifest,
  { layout, compression }: ExportSettings,
): Promise<Map<string, string[][]>> {
  const stored = new Map<string, string[][]>();
  for (const { url, table, meta } of entries) {
    const object = await testStack.object(keyOf(url));
    expect(object.length).toBe(meta.content_length);
    const rows = rowsIn(compression === undefined ? object : gunzipSync(object), layout);
    expect(rows.length).toBe(meta.record_count);
    const files = stored.get(table);
    if (files === undefined) stored.set(table, [rows]);
    else files.push(rows);
  }
  return stored;
}

function keyOf(url: string): string {
  return url.slice(`s3://${BUCKET}/`.length);
}

async function allKeys(prefix: string): Promise<string[]> {
  const keys = await testStack.keys(prefix);
  // One page of a listing.
  expect(keys.length).toBeLessThan(1_000);
  return keys.toSorted();
}
