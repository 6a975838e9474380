import fc from 'fast-check';
import { escapeIdentifier } from 'pg';
import { columnName, TYPES, valueOf } from './arbitrary-cases.ts';

export type WriteKind = 'insert' | 'update' | 'delete' | 'vacuum';

/** A table to export: how it is made, and what others do to it meanwhile. Its SQL needs its schema in search_path. */
export interface GeneratedTable {
  kind: string;
  create: string[];
  exported: ExportedTable[];
  /** A statement of that kind; the number says which rows it concerns. */
  write: (kind: WriteKind, n: number) => string | undefined;
  /** Not a table without columns. */
  hasId: boolean;
}

export interface ExportedTable {
  name: string;
  /** What COPY writes of a relation that it does not take by itself. */
  isCopiedByQuery: boolean;
}

interface Drawn {
  name: string;
  columns: readonly { name: string; type: string; values: readonly (string | null)[] }[];
  /** How often the rows are there, besides once. */
  copies: number;
  oddities: readonly (typeof ODDITIES)[number][];
}

const ODDITIES = [
  'a dropped column',
  'a late column',
  'a generated column',
  'dead rows',
  'room for updates',
  'an index',
  'statistics',
  'unlogged',
] as const;

const NAMES = [
  'orders',
  'Mixed Case',
  'UPPER',
  'a.b',
  'sl/ash',
  'back\\slash',
  'per%20cent',
  '"quoted"',
  "it's",
  '_under',
  ' ',
  '日本語',
  'ÜÖÄ',
  '😀',
  '$1',
  '*',
  '?',
  'new\nline',
];

const ROWS = 6;
const MOST_COPIES = 300;
/** COPY has no binary format of these. */
const TABLE_TYPES = TYPES.filter((type) => type !== 'aclitem');
/** Numbers that take thousands of digits are for the comparison of queries. */
const isShort = (value: string | null): boolean => !/e131071|e-16383/.test(value ?? '');

/** One table of each kind, with names that differ. */
export function arbitraryTables({ isUnloggedAllowed }: { isUnloggedAllowed: boolean }) {
  const kinds = [plain, plain, partitioned, inherited, empty, onePage, toasted, widest, materialized, bare];
  return fc.tuple(
    ...kinds.map((make, index) =>
      drawn(index).map((table) =>
        make({
          ...table,
          oddities: table.oddities.filter((oddity) => isUnloggedAllowed || oddity !== 'unlogged'),
        }),
      ),
    ),
  );
}

/** A name as PostgreSQL takes it, up to so many bytes. */
export function arbitraryName(): fc.Arbitrary<string> {
  const random = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 8 })
    .map((name) => name.replaceAll('\0', '0'));
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: random });
}

function drawn(index: number): fc.Arbitrary<Drawn> {
  const column = fc.constantFrom(...TABLE_TYPES).chain((type) =>
    fc.record({
      type: fc.constant(type),
      name: columnName(),
      values: fc.array(valueOf(type).filter(isShort), { minLength: ROWS, maxLength: ROWS }),
    }),
  );
  return fc.record({
    name: arbitraryName().map((name) => `${name}${index}`),
    columns: fc.uniqueArray(column, { selector: ({ name }) => name, minLength: 1, maxLength: 6 }),
    copies: fc.integer({ min: 0, max: MOST_COPIES }),
    oddities: fc.subarray([...ODDITIES]),
  });
}

const sql = escapeIdentifier;

function plain(table: Drawn): GeneratedTable {
  return { kind: 'plain', create: made(table), ...named(table) };
}

function empty({ oddities, ...table }: Drawn): GeneratedTable {
  const name = sql(table.name);
  // Never filled, or emptied, which leaves the pages.
  const create = oddities.includes('dead rows')
    ? [...made({ ...table, oddities: [] }), `DELETE FROM ${name}`]
    : [`CREATE TABLE ${name} (id int, ${definitions(table)})`];
  return { kind: 'empty', create, ...named(table) };
}

function onePage(table: Drawn): GeneratedTable {
  return { ...plain({ ...table, copies: 0 }), kind: 'one page' };
}

function partitioned({ oddities, ...table }: Drawn): GeneratedTable {
  const { name } = table;
  const part = (which: string): string => sql(`${name} ${which}`);
  const range = [
    `CREATE TABLE ${sql(name)} (id int, ${definitions(table)}) PARTITION BY RANGE (id)`,
    `CREATE TABLE ${part('low')} PARTITION OF ${sql(name)} FOR VALUES FROM (MINVALUE) TO (200)`,
    // Its columns are in another order, and one is gone.
    `CREATE TABLE ${part('middle')} (gone int, ${definitions(table)}, id int)`,
    `ALTER TABLE ${part('middle')} DROP COLUMN gone`,
    `ALTER TABLE ${sql(name)} ATTACH PARTITION ${part('middle')} FOR VALUES FROM (200) TO (500)`,
    `CREATE TABLE ${part('high')} PARTITION OF ${sql(name)} FOR VALUES FROM (500) TO (900) PARTITION BY LIST ((id % 2))`,
    `CREATE TABLE ${part('even')} PARTITION OF ${part('high')} FOR VALUES IN (0)`,
    `CREATE TABLE ${part('odd')} PARTITION OF ${part('high')} FOR VALUES IN (1)`,
    `CREATE TABLE ${part('rest')} PARTITION OF ${sql(name)} DEFAULT`,
  ];
  const hash = [
    `CREATE TABLE ${sql(name)} (id int, ${definitions(table)}) PARTITION BY HASH (id)`,
    ...[0, 1, 2].map(
      (n) =>
        `CREATE TABLE ${part(`h${n}`)} PARTITION OF ${sql(name)} FOR VALUES WITH (MODULUS 3, REMAINDER ${n})`,
    ),
  ];
  return {
    kind: 'partitioned',
    create: [...(oddities.includes('an index') ? hash : range), ...filled(table)],
    ...named(table, { isCopiedByQuery: true }),
  };
}

/** Whose children have rows of their own, which COPY of the parent leaves out. */
function inherited(table: Drawn): GeneratedTable {
  const child = `${table.name} child`;
  const { exported, ...parent } = named(table);
  return {
    kind: 'inherited',
    create: [
      ...made({ ...table, oddities: [] }),
      `CREATE TABLE ${sql(child)} (more text) INHERITS (${sql(table.name)})`,
      `INSERT INTO ${sql(child)} (id, more) SELECT g, 'of the child' FROM generate_series(1, 500) AS g`,
    ],
    ...parent,
    exported: [...exported, { name: child, isCopiedByQuery: false }],
  };
}

/** Most of whose bytes are in TOAST: compressed, and as they are. */
function toasted({ name }: Drawn): GeneratedTable {
  const long = (n: number): string =>
    `(SELECT string_agg(md5(g || '-' || i), '') FROM generate_series(1, ${n} + g % 7) AS i)`;
  const columns = ['id', 'external', 'compressed', 'bytes'];
  return {
    kind: 'toasted',
    create: [
      `CREATE TABLE ${sql(name)} (id int, external text, compressed text, bytes bytea)`,
      `ALTER TABLE ${sql(name)} ALTER external SET STORAGE EXTERNAL`,
      `INSERT INTO ${sql(name)}
       SELECT g, ${long(200)}, repeat('compresses well ', 2000 * g), decode(${long(100)}, 'hex') FROM generate_series(1, 40) AS g`,
    ],
    exported: [{ name, isCopiedByQuery: false }],
    write: writesOf(name, columns, 2),
    hasId: true,
  };
}

/** With as many columns as there may be. */
function widest({ name }: Drawn): GeneratedTable {
  const columns = Array.from({ length: 1_599 }, (_, n) => `c${n}`);
  return {
    kind: '1,600 columns',
    create: [
      `CREATE TABLE ${sql(name)} (id int, ${columns.map((column) => `${column} int`).join(', ')})`,
      `INSERT INTO ${sql(name)} SELECT g, ${columns.map((_, n) => (n % 9 === 0 ? 'NULL' : `g * ${n}`)).join(', ')}
       FROM generate_series(1, 30) AS g`,
    ],
    exported: [{ name, isCopiedByQuery: false }],
    write: writesOf(name, ['id', ...columns], 2),
    hasId: true,
  };
}

function materialized(table: Drawn): GeneratedTable {
  const view = `${table.name} view`;
  const base = plain(table);
  return {
    ...base,
    kind: 'materialized view',
    create: [
      ...base.create,
      `CREATE MATERIALIZED VIEW ${sql(view)} AS SELECT * FROM ${sql(table.name)} WHERE id % 3 <> 1`,
    ],
    exported: [...base.exported, { name: view, isCopiedByQuery: true }],
  };
}

/** Without columns, but with rows. */
function bare({ name, copies }: Drawn): GeneratedTable {
  const table = sql(name);
  const writes: Record<WriteKind, string | undefined> = {
    insert: `INSERT INTO ${table} SELECT FROM ${table} LIMIT 5`,
    update: undefined,
    delete: `DELETE FROM ${table} WHERE ctid = (SELECT max(ctid) FROM ${table})`,
    vacuum: vacuum(table),
  };
  return {
    kind: 'without columns',
    create: [
      `CREATE TABLE ${table} ()`,
      `INSERT INTO ${table} SELECT FROM generate_series(1, ${copies * 5})`,
    ],
    exported: [{ name, isCopiedByQuery: false }],
    write: (kind) => writes[kind],
    hasId: false,
  };
}

function named(
  { name, columns, copies }: Pick<Drawn, 'name' | 'columns' | 'copies'>,
  { isCopiedByQuery = false } = {},
): Pick<GeneratedTable, 'exported' | 'write' | 'hasId'> {
  return {
    exported: [{ name, isCopiedByQuery }],
    write: writesOf(
      name,
      ['id', ...columns.map((column) => column.name)],
      Math.ceil((copies * ROWS) / 50) + 1,
    ),
    hasId: true,
  };
}

/** Rows come and go at about the same rate, and move: to other pages, and to other partitions. */
function writesOf(name: string, columns: readonly string[], insertedRows: number): GeneratedTable['write'] {
  const table = sql(name);
  const list = columns.map(sql).join(', ');
  return (kind, n) => {
    switch (kind) {
      case 'insert':
        return `INSERT INTO ${table} (${list}) SELECT ${list} FROM ${table} LIMIT ${insertedRows}`;
      case 'update':
        return `UPDATE ${table} SET id = nullif((id + 331) % 997, 0) WHERE id % 13 = ${n % 13}`;
      case 'delete':
        return `DELETE FROM ${table} WHERE id % 53 = ${n % 53}`;
      case 'vacuum':
        return vacuum(table);
      default:
        return kind satisfies never;
    }
  };
}

/** The lock for giving pages back would be waited for on a standby, and by all who come after it. */
function vacuum(table: string): string {
  return `VACUUM (TRUNCATE false) ${table}`;
}

function made(table: Drawn): string[] {
  const { oddities } = table;
  const name = sql(table.name);
  const has = (oddity: (typeof ODDITIES)[number]): boolean => oddities.includes(oddity);
  const columns = [
    ...(has('a dropped column') ? ['gone text'] : []),
    'id int',
    ...(has('a generated column') ? ['double_id bigint GENERATED ALWAYS AS (id * 2) STORED'] : []),
    definitions(table),
  ];
  return [
    `CREATE ${has('unlogged') ? 'UNLOGGED ' : ''}TABLE ${name} (${columns.join(', ')}) WITH (fillfactor = ${has('room for updates') ? 40 : 100})`,
    ...(has('an index') ? [`CREATE INDEX ON ${name} (id)`] : []),
    ...filled(table),
    ...(has('a dropped column') ? [`ALTER TABLE ${name} DROP COLUMN gone`] : []),
    // The rows that are there do not have it: it is a value of the catalog's for them.
    ...(has('a late column') ? [`ALTER TABLE ${name} ADD COLUMN late text DEFAULT 'late'`] : []),
    ...(has('dead rows') ? [`DELETE FROM ${name} WHERE id % 4 < 3`] : []),
    ...(has('statistics') ? [`ANALYZE ${name}`] : []),
  ];
}

function definitions({ columns }: Pick<Drawn, 'columns'>): string {
  return columns.map(({ name, type }) => `${sql(name)} ${type}`).join(', ');
}

/** The first of the rows has no id. */
function filled({ name, columns, copies }: Omit<Drawn, 'oddities'>): string[] {
  const list = columns.map((column) => sql(column.name)).join(', ');
  const rows = Array.from({ length: ROWS }, (_, row) => [
    row === 0 ? 'NULL::int' : String(row),
    ...columns.map(({ type, values }) => `${values[row] ?? 'NULL'}::${type}`),
  ]);
  return [
    `INSERT INTO ${sql(name)} (id, ${list}) VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}`,
    `INSERT INTO ${sql(name)} (id, ${list}) SELECT id + g * ${ROWS}, ${list} FROM ${sql(name)}, generate_series(1, ${copies}) AS g`,
  ];
}
