import type { Client } from 'pg';
import { describeTables, kindOf, type RelationFacts } from './describe-tables.ts';
import { expectReadable } from './expect-readable.ts';
import { CATALOG_PATH, withLocalSettings } from './local-settings.ts';
import { matchTables, type LeftOut } from './match-tables.ts';
import type { Relation, Table } from './table.ts';

export interface FoundTables {
  /** In order of schema and name. */
  tables: readonly Table[];
  /** Views and foreign tables that only wildcards matched. */
  leftOut: readonly LeftOut[];
}

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
  for (const fact of facts) {
    const family = families.get(fact.root);
    if (family === undefined) families.set(fact.root, [fact]);
    else family.push(fact);
  }
  const parts = new Set(facts.flatMap(({ root, oid }) => (root === oid ? [] : [oid])));
  const roots = facts.filter(({ oid, root }) => oid === root && !parts.has(oid));
  const leavesOf = (root: RelationFacts) =>
    (families.get(root.oid) ?? []).filter(({ relkind }) => relkind !== 'p');
  expectReadable(roots.map((root) => ({ root, leaves: leavesOf(root) })));
  return { tables: roots.map((root) => tableOf(root, leavesOf(root))), leftOut };
}

/** @param leaves the table itself, unless it is partitioned */
function tableOf(root: RelationFacts, leaves: readonly RelationFacts[]): Table {
  // Who reads a partitioned table needs no rights on its leaves, and their own policies do not count.
  const isReadByLeaves =
    leaves.length > 0 &&
    !root.hasRowSecurity &&
    leaves.every(({ mayRead, hasRowSecurity }) => mayRead && !hasRowSecurity);
  return {
    oid: root.oid,
    schema: root.schema,
    name: root.name,
    kind: kindOf(root),
    columns: (root.columns ?? []).map(({ name, type }) => ({ name, type })),
    relations: isReadByLeaves ? leaves.map(relationOf) : [wholeOf(root, leaves)],
    isLockable: root.mayReadWhole && 'rpv'.includes(root.relkind),
  };
}

function relationOf(facts: RelationFacts): Relation {
  const { oid, schema, name, pages, heapBytes, toastBytes, estimatedRows } = facts;
  return {
    oid,
    schema,
    name,
    kind: kindOf(facts),
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
