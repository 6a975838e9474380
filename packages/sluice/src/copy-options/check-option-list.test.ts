import fc from 'fast-check';
import { parseSync } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkOptionList } from './check-option-list.ts';
import { loadParser, parseCopyOptions } from './parse-copy-options.ts';

beforeAll(async () => loadParser());

const REFUSED = expect.objectContaining({ code: 'options_syntax' }) as Error;
const names = (count: number, name: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => name(index)).join();

describe('options that no parser should see', () => {
  it.each([
    ['a sum', `(format csv); SELECT ${'1+'.repeat(49_000)}1`],
    ['a sum behind a string that goes on', `(null E'a'\n'\\' ,'); SELECT ${'1+'.repeat(49_000)}1 --')`],
    ['parentheses', `x ${'('.repeat(90_000)}`],
    ['parentheses that are closed', `x ${'('.repeat(40_000)}${')'.repeat(40_000)}`],
    ['arrays', `x ARRAY${'['.repeat(90_000)}`],
    ['negations', `(x) WHERE ${'NOT '.repeat(20_000)}true`],
    ['signs', `(format csv); SELECT ${'- '.repeat(40_000)}1`],
    ['subqueries', `x ${'(SELECT '.repeat(10_000)}`],
    ['unions', `(format csv); ${'SELECT 1 UNION '.repeat(6_000)}SELECT 1`],
    ['options', 'x,'.repeat(49_000)],
    ['columns', `force_quote (${'a,'.repeat(49_000)}a)`],
    ['comments', `${'/*'.repeat(40_000)}${'*/'.repeat(40_000)}x`],
    ['open comments', '/*'.repeat(40_000)],
  ])('many %s are refused, forty times, and the next list is read', (_, text) => {
    for (let time = 0; time < 40; time += 1) expect(() => parseCopyOptions(text)).toThrow(REFUSED);
    expect(parseCopyOptions('format csv, force_quote (a)')).toEqual([
      { name: 'format', value: 'csv' },
      { name: 'force_quote', value: ['a'] },
    ]);
  });

  it.each([
    ['format csv; SELECT 1', 'syntax error at or near ";"'],
    ['format csv) TO', 'syntax error at or near "TO"'],
    ['format = csv', 'syntax error at or near "="'],
    ['format ((csv))', 'syntax error at or near "("'],
    ['(a),(b)', 'syntax error at or near ","'],
    [`delimiter a.b`, 'syntax error at or near "."'],
    ['x $1', 'syntax error at or near "$"'],
    ['x a&b', 'syntax error at or near "&"'],
    ["null 'x", 'unterminated quoted string'],
    ['format csv /* /* */', 'unterminated /* comment'],
    ['(format csv) /*', 'unterminated /* comment'],
    [`null 'a'/*\n*/'b'`, 'syntax error at or near'],
  ])('%s: %s', (text, reason) => {
    expect(() => parseCopyOptions(text)).toThrow(
      expect.objectContaining({ detail: expect.stringContaining(reason) as unknown }) as Error,
    );
  });
});

describe('options that are long, and good', () => {
  it.each([
    ['63 bytes', (index: number) => String(index).padStart(63, 'x')],
    ['63 quotation marks', (index: number) => String(index).padStart(63, '"')],
    ['63 bytes in two-byte characters', (index: number) => String(index).padStart(31, 'é')],
  ])('1600 quoted names of %s', (_, name) => {
    const quoted = (index: number) => `"${name(index).replaceAll('"', '""')}"`;
    const [format, forced] = parseCopyOptions(`format csv, force_quote (${names(1_600, quoted)})`);
    expect(format).toEqual({ name: 'format', value: 'csv' });
    expect(forced?.value).toEqual(Array.from({ length: 1_600 }, (_name, index) => name(index)));
  });

  it.each([
    [`null '${'('.repeat(90_000)};--'`, '('.repeat(90_000) + ';--'],
    [`null $a$${';'.repeat(90_000)}$a$ /* ; ( */ -- ;`, ';'.repeat(90_000)],
    [`null U&'\\0441'`, 'с'],
    [`null E'a'\n'\\''`, "a'"],
    [`${'/*'.repeat(40_000)}${'*/'.repeat(40_000)} null 1`, '1'],
    [`null +1.5`, '1.5'],
    [`null -2`, '-2'],
  ])('%.40s', (text, value) => {
    expect(parseCopyOptions(text).map((option) => String(option.value))).toEqual([value]);
  });
});

describe('checkOptionList', () => {
  it('lets nothing pass that the grammar takes for more than one list', () => {
    const word = fc.constantFrom(
      ...`a|'|''|"|""|$$|$a$|a$a$|E'|U&'|U&"|b'|\\|/*|*/|--|\n|;|; SELECT 1|SELECT|WHERE|,|(|)|) TO STDOUT|*|+|-|1|1e|.|=|:|$1|[| |é|\f`.split(
        '|',
      ),
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(word, { maxLength: 10 }), fc.constantFrom('', ')'), (words, end) => {
        const list = `(a ${words.join('')}${end}`;
        let checked;
        try {
          checked = checkOptionList(`${list}\n`);
        } catch {
          return;
        }
        const read = (options: string) => parseSync(`COPY (SELECT 1) TO STDOUT WITH ${options}`).stmts ?? [];
        let statements;
        try {
          statements = read(checked);
        } catch {
          return;
        }
        accepted += 1;
        expect(statements).toHaveLength(1);
        expect(statements[0]?.stmt).toHaveProperty('CopyStmt');
        expect(statements[0]?.stmt).not.toHaveProperty('CopyStmt.whereClause');
      }),
      { numRuns: 5_000 },
    );
    expect(accepted).toBeGreaterThan(5);
  });

  // PostgreSQL's scanner accepts these; libpg-query's refuses every comment here.
  it.each([
    ["null 'a'--c\n'b'", 'ab'],
    ["null 'a' -- c\n  -- c\n'b'", 'ab'],
    ["null 'a'\n'b'", 'ab'],
  ])('joins the strings of %j', (text, value) => {
    expect(parseCopyOptions(text)).toEqual([{ name: 'null', value }]);
  });

  it.each(["null 'a' /* c */\n'b'", "null 'a'\n/* c\n */'b'", "null 'a' /* c */ 'b'", "null 'a' 'b'"])(
    'does not join those of %j',
    (text) => {
      expect(() => parseCopyOptions(text)).toThrow(
        expect.objectContaining({ detail: expect.stringMatching(/syntax error at or near/) as unknown }),
      );
    },
  );
});
