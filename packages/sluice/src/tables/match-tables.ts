import type { Client } from 'pg';
import { sqlStateOf } from '../database-error.ts';
import { SluiceError } from '../errors.ts';
import { badPattern, parseNamePattern, type NamePattern } from './name-pattern.ts';
import { shownName } from './table.ts';

/** A relation that a pattern did not mean, though its name fits. */
export interface LeftOut {
  schema: string;
  name: string;
  kind: 'view' | 'foreign table';
}

export interface Matched {
  oids: readonly number[];
  leftOut: readonly LeftOut[];
}

interface Candidate {
  oid: number;
  schema: string;
  name: string;
  relkind: string;
  persistence: string;
}

const NOT_EXPORTABLE = new Map([
  ['S', 'a sequence'],
  ['i', 'an index'],
  ['I', 'a partitioned index'],
  ['c', 'a composite type'],
  ['t', 'a TOAST table'],
]);

/**
 * The relations that patterns mean. A pattern with wildcards takes tables, partitioned tables and materialized views: a
 * view would export the rows of tables a second time, and a foreign table is not on the snapshot. They are exported
 * when they are named. The system's own schemas have to be named, too.
 *
 * @throws SluiceError table_not_found when a pattern fits nothing; invalid_argument
 */
export async function matchTables(client: Client, patterns: readonly string[]): Promise<Matched> {
  const oids = new Set<number>();
  const leftOut = new Map<number, LeftOut>();
  for (const pattern of patterns.map(parseNamePattern)) {
    const found = await candidates(client, pattern);
    const chosen = pattern.isLiteral ? found : found.filter(({ relkind }) => 'rpm'.includes(relkind));
    if (chosen.length === 0) throw await nothingFound(client, pattern, found);
    for (const candidate of chosen) {
      expectExportable(candidate);
      oids.add(candidate.oid);
    }
    for (const { oid, relkind, schema, name } of found) {
      if (relkind === 'v' || relkind === 'f') {
        leftOut.set(oid, { schema, name, kind: relkind === 'v' ? 'view' : 'foreign table' });
      }
    }
  }
  return {
    oids: [...oids],
    leftOut: [...leftOut].flatMap(([oid, relation]) => (oids.has(oid) ? [] : [relation])),
  };
}

// In the caller's search_path, which says what a name without a schema means: hence the operators' full names.
const MATCH = `
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind, c.relpersistence AS persistence
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  WHERE c.relname OPERATOR(pg_catalog.~) $1 COLLATE pg_catalog.default
    AND CASE
      WHEN $2::pg_catalog.text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
      ELSE n.nspname OPERATOR(pg_catalog.~) $2 COLLATE pg_catalog.default
    END
    AND ($3 OR n.nspname OPERATOR(pg_catalog.!~) '^(pg_catalog|information_schema|pg_toast|pg_temp_.*|pg_toast_temp_.*)$')
  ORDER BY n.nspname, c.relname`;

async function candidates(client: Client, pattern: NamePattern): Promise<Candidate[]> {
  if (pattern.database !== undefined) await expectDatabase(client, pattern, pattern.database);
  const isSystemMeant = pattern.hasLiteralSchema || pattern.isLiteral;
  const { rows } = await client
    .query<Candidate>(MATCH, [pattern.name, pattern.schema, isSystemMeant])
    .catch((error: unknown) => {
      // invalid_regular_expression
      if (error instanceof Error && sqlStateOf(error) === '2201B') {
        throw badPattern(
          pattern.text,
          `is not one: ${error.message}`,
          'Put names with special characters in double quotes.',
        );
      }
      throw error;
    });
  return rows;
}

async function expectDatabase(client: Client, pattern: NamePattern, database: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>('SELECT pg_catalog.current_database() AS name');
  if (rows[0]?.name === database) return;
  throw badPattern(
    pattern.text,
    `names the database "${database}", and the connection is to "${rows[0]?.name ?? ''}"`,
    'Leave the database out, or connect to the other one.',
  );
}

function expectExportable(candidate: Candidate): void {
  const kind = NOT_EXPORTABLE.get(candidate.relkind);
  if (kind !== undefined) {
    throw new SluiceError(
      'invalid_argument',
      `${shownName(candidate)} is ${kind}, which has no rows to export`,
    );
  }
  if (candidate.persistence === 't') {
    throw new SluiceError('invalid_argument', `${shownName(candidate)} is a temporary table`, {
      detail: 'Only the session that made it can read it, and an export has sessions of its own.',
    });
  }
}

async function nothingFound(
  client: Client,
  pattern: NamePattern,
  found: readonly Candidate[],
): Promise<SluiceError> {
  const message = `no table matches ${JSON.stringify(pattern.text)}`;
  if (found.some(({ relkind }) => 'vf'.includes(relkind))) {
    return new SluiceError('table_not_found', message, {
      detail:
        'Views and foreign tables match, which are exported only when they are named without wildcards.',
    });
  }
  const others = pattern.schema === undefined ? await candidates(client, { ...pattern, schema: '^.*$' }) : [];
  const elsewhere = others.find(({ relkind }) => 'rpmvf'.includes(relkind));
  if (elsewhere === undefined) return new SluiceError('table_not_found', message);
  return new SluiceError('table_not_found', message, {
    detail: `Without a schema, only the schemas of search_path are looked at; there is ${shownName(elsewhere)}.`,
    hint: 'Name the schema, too.',
  });
}
