import type { Client } from 'pg';
import type { TableKind } from './table.ts';

/** What the catalogs say of a table, or of a leaf of a partitioned one. */
export interface RelationFacts {
  /** The table that was asked for: the relation itself, or the partitioned table that it is a leaf of. */
  root: number;
  oid: number;
  schema: string;
  name: string;
  relkind: 'r' | 'p' | 'm' | 'f' | 'v';
  persistence: 'p' | 'u' | 't';
  isPopulated: boolean;
  isInRecovery: boolean;
  accessMethod: string | null;
  pages: number;
  heapBytes: number;
  toastBytes: number;
  estimatedRows: number | null;
  mayUseSchema: boolean;
  /** Reading every row and column that COPY would write. */
  mayRead: boolean;
  mayReadWhole: boolean;
  hasRowSecurity: boolean;
  /** Of the table that was asked for, not of its leaves. */
  columns: readonly { name: string; type: string; mayRead: boolean }[] | null;
}

const KINDS = {
  r: 'table',
  p: 'partitioned table',
  m: 'materialized view',
  f: 'foreign table',
  v: 'view',
} as const satisfies Record<RelationFacts['relkind'], TableKind>;

export function kindOf({ relkind }: RelationFacts): TableKind {
  return KINDS[relkind];
}

/**
 * Looks tables up, and the leaves of partitioned ones, as the transaction's snapshot has them. Sizes are today's: the
 * statistics may be old or missing, and a standby makes none. Rights on a leaf are of no matter to who reads the
 * partitioned table; both are told. With search_path at pg_catalog, so that types of others are written with their schema.
 */
export async function describeTables(client: Client, oids: readonly number[]): Promise<RelationFacts[]> {
  const { rows } = await client.query<RelationFacts>(FACTS, [oids]);
  return rows;
}

const FACTS = `
  WITH RECURSIVE tree (root, oid) AS (
    SELECT oid, oid FROM unnest($1::oid[]) AS oid
    UNION ALL
    SELECT tree.root, i.inhrelid
    FROM tree
    JOIN pg_class AS parent ON parent.oid = tree.oid AND parent.relkind = 'p'
    JOIN pg_inherits AS i ON i.inhparent = tree.oid AND NOT i.inhdetachpending
  )
  SELECT tree.root, c.oid, n.nspname AS schema, c.relname AS name, c.relkind, c.relpersistence AS persistence,
    c.relispopulated AS "isPopulated", pg_is_in_recovery() AS "isInRecovery", am.amname AS "accessMethod",
    heap.pages, heap.bytes AS "heapBytes", toast.bytes AS "toastBytes",
    CASE
      WHEN c.relkind = 'f' AND c.reltuples >= 0 THEN c.reltuples
      WHEN c.relkind NOT IN ('r', 'm') THEN NULL
      WHEN heap.pages = 0 THEN 0
      WHEN c.reltuples >= 0 AND c.relpages > 0 THEN round(c.reltuples::float8 / c.relpages * heap.pages)
    END AS "estimatedRows",
    has_schema_privilege(n.oid, 'USAGE') AS "mayUseSchema",
    has_table_privilege(c.oid, 'SELECT') AS "mayReadWhole",
    has_schema_privilege(n.oid, 'USAGE') AND (
      has_table_privilege(c.oid, 'SELECT')
      OR (
        SELECT coalesce(bool_and(has_column_privilege(c.oid, a.attnum, 'SELECT')), false)
        FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      )
    ) AS "mayRead",
    row_security_active(c.oid) AS "hasRowSecurity",
    CASE WHEN c.oid = tree.root THEN (
      SELECT coalesce(json_agg(json_build_object(
        'name', a.attname,
        'type', format_type(a.atttypid, a.atttypmod),
        'mayRead', has_column_privilege(c.oid, a.attnum, 'SELECT')
      ) ORDER BY a.attnum), '[]')
      FROM pg_attribute AS a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attgenerated = ''
    ) END AS columns
  FROM tree
  JOIN pg_class AS c ON c.oid = tree.oid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_am AS am ON am.oid = c.relam AND c.relkind IN ('r', 'm')
  -- NULL when the table has been dropped meanwhile.
  CROSS JOIN LATERAL (
    SELECT CASE WHEN c.relkind IN ('r', 'm') THEN coalesce(pg_relation_size(c.oid), 0) ELSE 0 END::float8 AS bytes
  ) AS size
  CROSS JOIN LATERAL (
    SELECT size.bytes, ceil(size.bytes / current_setting('block_size')::float8) AS pages
  ) AS heap
  CROSS JOIN LATERAL (
    SELECT CASE WHEN c.reltoastrelid <> 0 THEN coalesce(pg_relation_size(c.reltoastrelid), 0) ELSE 0 END::float8 AS bytes
  ) AS toast
  ORDER BY n.nspname, c.relname`;
