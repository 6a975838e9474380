import type { Client } from 'pg';
import { CATALOG_PATH, withLocalSettings } from './local-settings.ts';
import type { Column } from './table.ts';

/**
 * The columns of a query's result and their types, as format_type() says them, e.g. `numeric(10,2)`; of a domain, the
 * type under it. Those of a table are among what findTables tells. In a transaction.
 */
export async function queryColumns(client: Client, query: string): Promise<Column[]> {
  // A line of its own: the query may end with a comment.
  const { fields } = await client.query(`SELECT * FROM (\n${query}\n) AS sluice_rows WHERE false`);
  const { rows } = await withLocalSettings(client, CATALOG_PATH, () =>
    client.query<{ type: string }>(
      `SELECT format_type(oid, modifier) AS type
       FROM unnest($1::oid[], $2::int4[]) WITH ORDINALITY AS field (oid, modifier, place)
       ORDER BY place`,
      [fields.map(({ dataTypeID }) => dataTypeID), fields.map(({ dataTypeModifier }) => dataTypeModifier)],
    ),
  );
  return fields.map(({ name }, i) => ({ name, type: rows[i]?.type ?? 'unknown' }));
}
