import type { Client } from 'pg';
import { SluiceError } from '../errors.ts';
import { describeTables, type RelationFacts } from './describe-tables.ts';
import { CATALOG_PATH, withLocalSettings } from './local-settings.ts';
import { matchTables, type LeftOut } from './match-tables.ts';
import { shownName, type Relation, type Table, type TableKind } from './table.ts';

export interface FoundTables {
  /** In order of schema and name. */
  tables: readonly Table[];
  /** Views and foreign tables that only wildcards matched. */
  leftOut: readonly LeftOut[];
}

const KINDS = {
  r: 'table',
  p: 'partitioned table',
  m: 'materialized view',
  f: 'foreign table',
  v: 'view',
} as const satisfies Record<RelationFacts['relkind'], TableKind>;

/**
 * The tables that patterns of psql and pg_dump mean, and everything that cutting and reading them takes. A partition
 * that is found beside the partitioned table that it belongs to is left to that one. In a transaction: the settings
 * that this needs are set for it alone.
 *
 * @param patterns e.g. `public.orders`, `archive.*`, `"Mixed Case"`
 * @throws SluiceError table_not_found, table_unreadable, invalid_argument
 */
export async function findTables(
  client: Client,
  patterns: readonly string[],
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<FoundTables> {
  const { oids, leftOut } = await matchTables(client, patterns);
  signal?.throwIfAborted();
  const facts = await withLocalSettings(client, CATALOG_PATH, () => describeTables(client, oids));
  signal?.throwIfAborted();
  const families = new Map<number, RelationFacts[]>();
  for (const fact of facts) families.set(fact.root, [...(families.get(fact.root) ?? []), fact]);
  const parts = new Set(facts.flatMap(({ root, oid }) => (root === oid ? [] : [oid])));
  const tables = facts.flatMap((fact) => {
    if (fact.oid !== fact.root || parts.has(fact.oid)) return [];
    return [tableOf(fact, families.get(fact.oid) ?? [])];
  });
  return { tables, leftOut };
}

function tableOf(root: RelationFacts, family: readonly RelationFacts[]): Table {
  expectReadable(root);
  const leaves = family.filter(({ relkind }) => relkind !== 'p');
  const isReadByLeaves =
    root.relkind === 'p' &&
    !root.hasRowSecurity &&
    leaves.length > 0 &&
    leaves.every(({ mayRead }) => mayRead);
  for (const leaf of leaves) expectRows(leaf);
  return {
    oid: root.oid,
    schema: root.schema,
    name: root.name,
    kind: KINDS[root.relkind],
    columns: (root.columns ?? []).map(({ name, type }) => ({ name, type })),
    relations: isReadByLeaves ? leaves.map(relationOf) : [wholeOf(root, leaves)],
    isLockable: root.mayReadWhole && 'rpv'.includes(root.relkind),
  };
}

function relationOf(facts: RelationFacts): Relation {
  const { oid, schema, name, relkind, pages, heapBytes, toastBytes, estimatedRows } = facts;
  return {
    oid,
    schema,
    name,
    kind: KINDS[relkind],
    hasTidScans: facts.accessMethod === 'heap' && facts.mayReadWhole,
    pages,
    heapBytes,
    toastBytes,
    estimatedRows: estimatedRows ?? undefined,
  };
}

/** The table itself; a partitioned one is as large as its leaves. */
function wholeOf(root: RelationFacts, leaves: readonly RelationFacts[]): Relation {
  const relation = relationOf(root);
  if (root.relkind !== 'p') return relation;
  const sum = (of: (leaf: RelationFacts) => number | null) =>
    leaves.reduce((total, leaf) => total + (of(leaf) ?? 0), 0);
  return {
    ...relation,
    pages: sum(({ pages }) => pages),
    heapBytes: sum(({ heapBytes }) => heapBytes),
    toastBytes: sum(({ toastBytes }) => toastBytes),
    estimatedRows: sum(({ estimatedRows }) => estimatedRows),
  };
}

function expectReadable(root: RelationFacts): void {
  if (!root.mayUseSchema) {
    throw unreadable(root, 'may not be read', {
      detail: `The role has no USAGE privilege on the schema "${root.schema}".`,
      hint: `GRANT USAGE ON SCHEMA ... TO the role that exports.`,
    });
  }
  if (!root.mayRead) {
    const columns = root.columns ?? [];
    const denied = columns.filter(({ mayRead }) => !mayRead).map(({ name }) => `"${name}"`);
    const isPartial = denied.length > 0 && denied.length < columns.length;
    throw unreadable(root, 'may not be read', {
      detail: isPartial
        ? `The role has no SELECT privilege on ${denied.length === 1 ? 'the column' : 'the columns'} ${denied.slice(0, 10).join(', ')}.`
        : 'The role has no SELECT privilege on it.',
      hint: `GRANT SELECT ON it TO the role that exports${isPartial ? ', or export a query of the other columns' : ''}.`,
    });
  }
}

function expectRows(relation: RelationFacts): void {
  if (!relation.isPopulated) {
    throw unreadable(relation, 'has not been populated', { hint: 'REFRESH MATERIALIZED VIEW fills it.' });
  }
  if (relation.isInRecovery && relation.persistence === 'u') {
    throw unreadable(relation, 'is unlogged, which a standby cannot read', {
      hint: 'Export it from the primary, or leave it out.',
    });
  }
}

function unreadable(
  relation: RelationFacts,
  what: string,
  explanation: { detail?: string; hint?: string },
): SluiceError {
  return new SluiceError(
    'table_unreadable',
    `the ${KINDS[relation.relkind]} ${shownName(relation)} ${what}`,
    explanation,
  );
}
