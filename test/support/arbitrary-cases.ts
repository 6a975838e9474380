import fc from 'fast-check';
import type { OracleCase } from './oracle.ts';
import { VALUES_OF_TYPES } from './type-values.ts';

/** Characters that COPY quotes or escapes, and some that it does not. */
const SPECIAL = ['a', 'b', ',', ';', '|', '\t', '\n', '\r', '\\', '"', '.', 'N', ' '];

/** Generators for values of some types. For all others the edge values are used. */
const MADE_UP: Readonly<Record<string, fc.Arbitrary<string>>> = {
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => quote(value.toString())),
  'double precision': fc.double().map((value) => quote(Object.is(value, -0) ? '-0' : String(value))),
  numeric: fc
    .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat(30))
    .map(([digits, scale]) => quote(`${digits}e-${scale}`)),
  text: fc.string({ unit: 'binary', maxLength: 40 }).map(quote),
  'character varying': fc.string({ unit: fc.constantFrom(...SPECIAL), maxLength: 12 }).map(quote),
  bytea: fc.uint8Array({ maxLength: 20 }).map((bytes) => `'\\x${Buffer.from(bytes).toString('hex')}'`),
  'timestamp with time zone': fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => quote(date.toISOString())),
  interval: fc
    .tuple(fc.integer({ min: -999, max: 999 }), fc.integer(), fc.integer())
    .map(([months, days, seconds]) => quote(`${months} months ${days} days ${seconds}.5 seconds`)),
  jsonb: fc
    .json({ stringUnit: 'grapheme' })
    .filter((json) => !json.includes('\\u0000'))
    .map(quote),
  json: fc.json({ stringUnit: 'grapheme' }).map(quote),
};

export const TYPES = Object.keys(VALUES_OF_TYPES).filter(
  // Types that not every supported version has are left out.
  (type) => !/^(?:oid8|regdatabase|refcursor)$/.test(type),
);

interface Column {
  type: string;
  name: string;
  values: (string | null)[];
}

/** A query of VALUES with random columns of random types, and random options. */
export function arbitraryCase(): fc.Arbitrary<OracleCase> {
  return fc
    .integer({ min: 0, max: 6 })
    .chain((rows) => fc.tuple(fc.array(column(rows), { minLength: 1, maxLength: 6 }), fc.constant(rows)))
    .chain(([columns, rows]) =>
      options(columns.map(({ name }) => name)).map((text) => ({
        query: queryOf(columns, rows),
        options: text,
      })),
    );
}

/** Values of a type as SQL literals, and NULL. */
export function valueOf(type: string): fc.Arbitrary<string | null> {
  const edges = fc.constantFrom(...(VALUES_OF_TYPES[type] ?? []));
  const made = MADE_UP[type];
  return fc.option(made === undefined ? edges : fc.oneof(made, edges), { freq: 6 });
}

function column(rows: number): fc.Arbitrary<Column> {
  return fc.constantFrom(...TYPES).chain((type) => {
    const values = fc.array(valueOf(type), { minLength: rows, maxLength: rows });
    return fc.tuple(columnName(), values).map(([name, list]) => ({ type, name, values: list }));
  });
}

/** Short names, so that two columns often get the same one. */
export function columnName(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 2 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('A b', '?column?', '_x0041_', 'xml', '"', '1', ',', '日、本', '😀'),
    },
  );
}

function queryOf(columns: readonly Column[], rows: number): string {
  const selected = (row: number | undefined) =>
    columns
      .map(({ type, name, values }) => {
        const value = row === undefined ? null : values[row];
        return `${value ?? 'NULL'}::${type} AS "${name.replaceAll('"', '""')}"`;
      })
      .join(', ');
  if (rows === 0) return `SELECT ${selected(undefined)} WHERE false`;
  return Array.from({ length: rows }, (_, row) => `SELECT ${selected(row)}`).join(' UNION ALL ');
}

/** Mostly valid options, and sometimes invalid ones: then the export must fail with the same error as COPY. */
function options(names: readonly string[]): fc.Arbitrary<string> {
  const delimiter = fc.constantFrom(
    `','`,
    `';'`,
    `'|'`,
    `E'\\t'`,
    `' '`,
    `':'`,
    `'~'`,
    `E'\\x01'`,
    `'a'`,
    `'é'`,
    `E'\\n'`,
  );
  const nullText = fc.constantFrom(`''`, `'\\N'`, `'NULL'`, `'-'`, `' '`, `'日本'`, `'"'`, `','`);
  const quoteCharacter = fc.constantFrom(`'"'`, `''''`, `'|'`, `'\\'`, `'~'`, `'x'`, `','`, `'""'`);
  const header = fc.constantFrom(
    '',
    ' true',
    ' false',
    ' on',
    ' off',
    ' 1',
    ' 0',
    ' TRUE',
    ` 'on'`,
    ' match',
    ' 2',
  );
  const encoding = fc.constantFrom(
    'UTF8',
    'utf-8',
    'LATIN1',
    'WIN1253',
    'EUC_JP',
    'SJIS',
    'GB18030',
    'BIG5',
    'nonsense',
  );
  const columnNames = fc.subarray([...names], { minLength: 1 });
  const quoted = (list: readonly string[]) =>
    list.map((text) => `"${text.replaceAll('"', '""')}"`).join(', ');
  const optional = <T>(arbitrary: fc.Arbitrary<T>, freq = 2) => fc.option(arbitrary, { freq });
  const text = fc
    .tuple(optional(delimiter, 1), optional(nullText, 1), optional(header, 1), optional(encoding, 1))
    .map(([d, n, h, e]) => [
      'format text',
      d && `delimiter ${d}`,
      n && `null ${n}`,
      h !== null && `header${h}`,
      e && `encoding '${e}'`,
    ]);
  const csv = fc
    .tuple(
      optional(delimiter, 1),
      optional(nullText, 1),
      optional(header, 1),
      optional(quoteCharacter, 1),
      optional(quoteCharacter, 1),
      optional(
        fc.oneof(
          fc.constant(' *'),
          columnNames.map((list) => ` (${quoted(list)})`),
        ),
        1,
      ),
      optional(encoding, 1),
    )
    .map(([d, n, h, q, s, f, e]) => [
      'format csv',
      d && `delimiter ${d}`,
      n && `null ${n}`,
      h !== null && `header${h}`,
      q && `quote ${q}`,
      s && `escape ${s}`,
      f && `force_quote${f}`,
      e && `encoding '${e}'`,
    ]);
  const binary = fc
    .tuple(optional(encoding, 1), optional(header, 12))
    .map(([e, h]) => ['format binary', e && `encoding '${e}'`, h !== null && `header${h}`]);
  return fc
    .oneof({ weight: 2, arbitrary: text }, { weight: 3, arbitrary: csv }, { weight: 1, arbitrary: binary })
    .map((list) => list.filter((item) => typeof item === 'string' && item !== '').join(', '));
}

function quote(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", "''")}'`;
}
