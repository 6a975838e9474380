import type { Client } from 'pg';
import { CATALOG_PATH, withLocalSettings } from './local-settings.ts';
import { sqlName, type Table } from './table.ts';

/**
 * Whether a table has been changed between the transaction's snapshot and the lock on it. A table that TRUNCATE, ALTER
 * TABLE or REFRESH MATERIALIZED VIEW has written anew has other rows than the snapshot, or none
 * (https://www.postgresql.org/docs/current/mvcc-caveats.html). pg_class is read as of the snapshot, and
 * pg_relation_filenode() as of now: while the lock is held, equal files mean the same rows. So does every other relation
 * that this transaction has locked, such as those under a view or in a query; one that the snapshot lacks is new.
 */
export async function haveChanged(client: Client, tables: readonly Table[]): Promise<boolean> {
  const oids = tables.flatMap(({ relations }) => relations.map(({ oid }) => oid));
  const { rows } = await withLocalSettings(client, CATALOG_PATH, () =>
    client.query<{ changed: boolean }>(CHANGED, [oids]),
  );
  return rows[0]?.changed ?? true;
}

const CHANGED = `
  WITH locked AS (
    SELECT DISTINCT relation AS oid
    FROM pg_locks
    WHERE locktype = 'relation' AND pid = pg_backend_pid() AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  )
  SELECT
    -- A name that means another table now.
    EXISTS (SELECT FROM unnest($1::oid[]) AS wanted (oid) WHERE wanted.oid NOT IN (SELECT oid FROM locked))
    OR EXISTS (
      SELECT
      FROM locked
      LEFT JOIN pg_class AS c ON c.oid = locked.oid
      WHERE c.oid IS NULL
        OR (c.relkind IN ('r', 'm') AND c.relfilenode <> 0
          AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid)::oid)
    ) AS changed`;

/** The tables whose names mean others than those that are locked: a lock does not keep a schema from being renamed. */
export async function renamedTables(client: Client, tables: readonly Table[]): Promise<string[]> {
  const relations = tables.flatMap((table) => table.relations);
  const { rows } = await withLocalSettings(client, CATALOG_PATH, () =>
    client.query<{ name: string }>(RENAMED, [relations.map(({ oid }) => oid), relations.map(sqlName)]),
  );
  return rows.map(({ name }) => name);
}

const RENAMED = `
  SELECT name
  FROM unnest($1::oid[], $2::text[]) AS relation (oid, name)
  WHERE to_regclass(name)::oid IS DISTINCT FROM oid`;
