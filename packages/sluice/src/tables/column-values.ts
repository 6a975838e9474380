import type { Client } from 'pg';
import { withLocalSettings } from './local-settings.ts';
import type { RowSource, SplitColumn } from './split-column.ts';
import type { WeighedValue } from './choose-bounds.ts';

/** How the values of a column are spread. */
export interface ColumnValues {
  /** Each once, in the column's order. */
  values: WeighedValue[];
  /** What part of the rows has none. */
  nulls: number;
}

/** A bound needs no more of a text than this, and is part of each piece's query. */
const MAX_TEXT_LENGTH = 100;

/** Dates that are read the same whatever DateStyle is; the order in which the query itself reads them stays. */
const ISO_DATES: ReadonlyMap<string, string> = new Map([['DateStyle', 'ISO']]);

/**
 * A random sample of a column, by reading all rows of the source once. The server keeps the sample in memory, and
 * neither the rows nor their number have to be known.
 */
export async function sampledValues(
  client: Client,
  { from }: RowSource,
  column: SplitColumn,
  sampleSize: number,
): Promise<ColumnValues> {
  // Cut off only where it is long: a short text stays as it is, with its collation.
  const value = column.isText
    ? `pg_catalog.left(${column.sql}::pg_catalog.text, ${MAX_TEXT_LENGTH})::${column.type}`
    : `${column.sql}::${column.type}`;
  const { rows } = await withLocalSettings(client, ISO_DATES, () =>
    client.query<{ value: string | null; weight: number }>(
      `SELECT sample.value::pg_catalog.text, pg_catalog.count(*)::pg_catalog.float8 AS weight
       FROM (SELECT ${value} AS value FROM ${from} ORDER BY pg_catalog.random() LIMIT ${sampleSize}) AS sample
       GROUP BY sample.value
       ORDER BY sample.value NULLS LAST`,
    ),
  );
  const total = rows.reduce((sum, { weight }) => sum + weight, 0);
  return {
    values: rows.flatMap(({ value: text, weight }) =>
      text === null ? [] : [{ value: text, before: 0, at: weight / total }],
    ),
    nulls: rows.reduce((sum, { value: text, weight }) => (text === null ? sum + weight / total : sum), 0),
  };
}

/**
 * What ANALYZE has found out about a column of a table; undefined when there is nothing, or it is not for this role to
 * see. Old statistics make pieces of unequal size, no wrong ones.
 */
export async function analyzedValues(
  client: Client,
  table: { oid: number },
  column: SplitColumn,
): Promise<ColumnValues | undefined> {
  return withLocalSettings(
    client,
    new Map([...ISO_DATES, ['search_path', 'pg_catalog, pg_temp']]),
    async () => {
      const { rows } = await client.query<{ nulls: number; collation: string | null }>(COLUMN_STATISTICS, [
        table.oid,
        column.name,
      ]);
      const [statistics] = rows;
      if (statistics === undefined) return undefined;
      const collate = statistics.collation === null ? '' : ` COLLATE ${statistics.collation}`;
      const text = column.isText ? `left(value, ${MAX_TEXT_LENGTH})` : 'value';
      const values = await client.query<WeighedValue>(
        `SELECT typed.value::text, sum(typed.before) AS before, sum(typed.at) AS at
       FROM (SELECT (${text})::${column.type}${collate} AS value, before, at FROM (${VALUES}) AS found) AS typed
       GROUP BY typed.value
       ORDER BY typed.value`,
        [table.oid, column.name],
      );
      return { values: values.rows, nulls: statistics.nulls };
    },
  );
}

const OF_COLUMN = `
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_stats AS s ON s.schemaname = n.nspname AND s.tablename = c.relname
    AND s.attname = $2 AND s.inherited = (c.relkind = 'p')
  WHERE c.oid = $1`;

const COLUMN_STATISTICS = `
  SELECT s.null_frac::float8 AS nulls,
    (SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
     FROM pg_attribute AS a
     JOIN pg_collation AS co ON co.oid = a.attcollation
     JOIN pg_namespace AS cn ON cn.oid = co.collnamespace
     WHERE a.attrelid = c.oid AND a.attname = $2) AS collation
  ${OF_COLUMN}`;

/** The most common values, and the histogram's bounds, which part the other rows into equal shares. */
const VALUES = `
  SELECT common.value, 0::float8 AS before, common.frequency::float8 AS at
  FROM (SELECT s.most_common_vals::text::text[] AS vals, s.most_common_freqs AS freqs ${OF_COLUMN}) AS found
  CROSS JOIN LATERAL unnest(found.vals, found.freqs) AS common (value, frequency)
  UNION ALL
  SELECT bound.value,
    CASE WHEN bound.place = 1 THEN 0 ELSE found.others / greatest(cardinality(found.bounds) - 1, 1) END, 0
  FROM (
    SELECT s.histogram_bounds::text::text[] AS bounds,
      greatest(1 - s.null_frac - coalesce((SELECT sum(f) FROM unnest(s.most_common_freqs) AS f), 0), 0)::float8 AS others
    ${OF_COLUMN}
  ) AS found
  CROSS JOIN LATERAL unnest(found.bounds) WITH ORDINALITY AS bound (value, place)`;
