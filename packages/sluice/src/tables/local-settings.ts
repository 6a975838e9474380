import type { Client } from 'pg';

/**
 * Works with other settings, in the transaction under way, and puts the former ones back. When the work fails the
 * transaction has failed, and the settings go with it.
 */
export async function withLocalSettings<T>(
  client: Client,
  settings: ReadonlyMap<string, string>,
  work: () => Promise<T>,
): Promise<T> {
  const names = [...settings.keys()];
  const { rows } = await client.query<{ name: string; value: string }>(
    `SELECT name, pg_catalog.current_setting(name) AS value FROM pg_catalog.unnest($1::pg_catalog.text[]) AS name`,
    [names],
  );
  await set(client, names, [...settings.values()]);
  const result = await work();
  await set(
    client,
    rows.map(({ name }) => name),
    rows.map(({ value }) => value),
  );
  return result;
}

async function set(client: Client, names: readonly string[], values: readonly string[]): Promise<void> {
  await client.query(
    `SELECT pg_catalog.set_config(name, value, true)
     FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS setting (name, value)`,
    [names, values],
  );
}

/** For queries on catalogs: nobody's operators and functions come before PostgreSQL's own. */
export const CATALOG_PATH: ReadonlyMap<string, string> = new Map([['search_path', 'pg_catalog, pg_temp']]);
