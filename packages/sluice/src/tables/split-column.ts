import { type Client, escapeIdentifier } from 'pg';
import { sqlStateOf } from '../database-error.ts';
import { SluiceError } from '../errors.ts';

/** What rows are cut from: a FROM clause, and where there is one, the table behind it. */
export interface RowSource {
  /** E.g. `ONLY "s"."t"`, or a query as a subquery. */
  from: string;
  /** For messages. */
  name: string;
}

export interface SplitColumn {
  name: string;
  /** Quoted for SQL. */
  sql: string;
  /** Its type, or the type under its domain, as SQL names it whatever search_path is. */
  type: string;
  /** Values are cut off at some length before they become bounds. */
  isText: boolean;
}

/** Types whose values have one order, and can be written down exactly. By their OIDs, which are the same everywhere. */
const TYPES = new Map([
  [20, 'int8'],
  [21, 'int2'],
  [23, 'int4'],
  [26, 'oid'],
  [1700, 'numeric'],
  [1082, 'date'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [2950, 'uuid'],
  [25, 'text'],
  [1043, 'varchar'],
  [1042, 'bpchar'],
]);
const TEXT_TYPES: ReadonlySet<number> = new Set([25, 1043, 1042]);

/**
 * The column that rows shall be cut by.
 *
 * @throws SluiceError invalid_argument when there is none, or two, or its type cannot be used
 */
export async function splitColumn(
  client: Client,
  { from, name: source }: RowSource,
  name: string,
): Promise<SplitColumn> {
  const sql = escapeIdentifier(name);
  const { fields } = await client.query(`SELECT ${sql} FROM ${from} WHERE false`).catch((error: unknown) => {
    switch (sqlStateOf(error)) {
      case '42703': // undefined_column
        throw new SluiceError('invalid_argument', `${source} has no column ${sql} to be split by`, {
          cause: error,
          hint: 'Names are taken as they are, upper and lower case.',
        });
      case '42702': // ambiguous_column
        throw new SluiceError('invalid_argument', `${source} has more than one column ${sql}`, {
          cause: error,
          hint: 'Give the column to split by a name of its own.',
        });
      default:
        throw error;
    }
  });
  const oid = fields[0]?.dataTypeID ?? 0;
  const type = TYPES.get(oid);
  if (type === undefined) {
    throw new SluiceError('invalid_argument', `${source} cannot be split by ${sql}, because of its type`, {
      hint: 'Types to split by are smallint, integer, bigint, oid, numeric, date, timestamp with and without time zone, uuid, text, varchar and char.',
    });
  }
  return { name, sql, type: `pg_catalog.${type}`, isText: TEXT_TYPES.has(oid) };
}
