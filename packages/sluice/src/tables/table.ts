import { escapeIdentifier } from 'pg';

export type TableKind = 'table' | 'partitioned table' | 'materialized view' | 'foreign table' | 'view';

/** A column as COPY writes it. */
export interface Column {
  name: string;
  /** As format_type() says it, e.g. `numeric(10,2)`, `sales.mood`. */
  type: string;
}

/** Something that rows are read from directly: a table, a leaf of a partitioned one, a view. */
export interface Relation {
  oid: number;
  schema: string;
  name: string;
  kind: TableKind;
  /** Whether its rows can be read by ranges of ctid: a heap, with rights on the whole table and not on columns alone. */
  hasTidScans: boolean;
  /** Pages of the heap now, not at the last ANALYZE. */
  pages: number;
  heapBytes: number;
  toastBytes: number;
  /** By the statistics and today's size; undefined when there are none. */
  estimatedRows: number | undefined;
}

/** What is exported under one name. */
export interface Table {
  oid: number;
  schema: string;
  name: string;
  kind: TableKind;
  /** What `COPY table TO` writes: without dropped and generated columns. */
  columns: readonly Column[];
  /**
   * Where its rows are, each in one of them: the table itself, or the leaves of a partitioned one. A partitioned table
   * whose leaves must not be read by themselves (no rights on them, or row security on the table) is its only relation.
   * In order of schema and name.
   */
  relations: readonly Relation[];
  /** Whether LOCK TABLE takes it: not for rights on columns alone, nor for materialized views and foreign tables. */
  isLockable: boolean;
}

/** The name as SQL reads it, whatever it holds. */
export function sqlName({ schema, name }: { schema: string; name: string }): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
}

/**
 * The relation in a FROM clause. ONLY, as COPY of a table leaves out those that inherit from it; a partitioned table
 * has no rows but theirs.
 */
export function fromRelation(relation: { schema: string; name: string; kind: TableKind }): string {
  return relation.kind === 'partitioned table' ? sqlName(relation) : `ONLY ${sqlName(relation)}`;
}

/** The columns in a SELECT list; empty for a table without columns, of which COPY writes an empty line for each row. */
export function selectList(columns: readonly Column[]): string {
  return columns.map(({ name }) => escapeIdentifier(name)).join(', ');
}

/** The name for people. */
export function shownName({ schema, name }: { schema: string; name: string }): string {
  return `"${schema}.${name}"`;
}
