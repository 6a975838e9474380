import fc from 'fast-check';
import { parseSync } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser } from './parse-copy-options.ts';
import { singleStatement } from './parse-statement.ts';

/** The oracle. */
beforeAll(async () => loadParser());

describe('singleStatement', () => {
  it.each([
    ['SELECT 1', 'SELECT 1'],
    ['SELECT 1; -- done', 'SELECT 1'],
    ['SELECT 1; /* done; really */ ;', 'SELECT 1'],
    ["-- first;\nSELECT 'é;' AS x; -- done", "-- first;\nSELECT 'é;' AS x"],
    ['SELECT $q$;$q$ AS "a;b" /* ; */', 'SELECT $q$;$q$ AS "a;b" /* ; */'],
    ['SELECT this is not SQL;', 'SELECT this is not SQL'],
  ])('of %j is %j', (query, statement) => {
    expect(singleStatement(query)).toBe(statement);
  });

  it.each([
    ["SELECT 'it''s;' || 'a'';b'; --", "SELECT 'it''s;' || 'a'';b'"],
    [String.raw`SELECT E'\';', e'\\'; -- c`, String.raw`SELECT E'\';', e'\\'`],
    [String.raw`SELECT E'a'';\'', 'b\'; -- '`, String.raw`SELECT E'a'';\'', 'b\'`],
    ["SELECT E'a'\n -- ;\n '\\' ; x'; --", "SELECT E'a'\n -- ;\n '\\' ; x'"],
    ["SELECT 'a'\n'\\'; --'", "SELECT 'a'\n'\\'"],
    ["SELECT E'a' '\\'; --'", "SELECT E'a' '\\'"],
    ['SELECT "a"";b" FROM "t;"; ', 'SELECT "a"";b" FROM "t;"'],
    ['SELECT a$b$ FROM c$b$; --', 'SELECT a$b$ FROM c$b$'],
    ['SELECT $é$;$é$, $a$ $b$; $a$; /* a /* nested; */ ; */', 'SELECT $é$;$é$, $a$ $b$; $a$'],
    ["SELECT 'never closed; x", "SELECT 'never closed; x"],
    ['SELECT $q$ never closed; x', 'SELECT $q$ never closed; x'],
    ['SELECT 1 /* never /* closed; */', 'SELECT 1 /* never /* closed; */'],
    ['SELECT 1 -- a; b\n, 2;', 'SELECT 1 -- a; b\n, 2'],
    ['SELECT 1;;;', 'SELECT 1'],
  ])('of %j is %j', (query, statement) => {
    expect(singleStatement(query)).toBe(statement);
  });

  it.each([
    String.raw`SELECT '\'; DROP TABLE t; --'`,
    'SELECT 1; DROP TABLE t',
    'SELECT 1; x',
    "SELECT 1; ''",
    'SELECT 1; /* */ 2 --',
    'SELECT 1; (',
    'SELECT 1 --\n; --\r2',
    "SELECT u&'\\'; SELECT 2",
  ])('refuses %j', (query) => {
    expect(() => singleStatement(query)).toThrow(/several statements/);
  });

  it('reads strings as the session does', () => {
    const query = String.raw`SELECT '\'; DROP TABLE t; --'`;
    expect(singleStatement(query, { backslashEscapes: true })).toBe(query);
  });

  it("agrees with PostgreSQL's own scanner about where a statement ends", () => {
    const word = fc.constantFrom(...`SELECT|1|'|''|"|$$|$a$|a$a$|E'|\\|/*|*/|--|\n|;| |a|é|(|)`.split('|'));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const query = `SELECT 1 ${words.join('')}`;
        let count: number;
        try {
          count = parseSync(query).stmts?.length ?? 0;
        } catch {
          return;
        }
        expect(outcome(query)).toEqual(count > 1 ? 'several statements' : parseSync(query).stmts?.[0]?.stmt);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['parentheses', '('.repeat(500_000) + ';x'],
    ['quotes', "';".repeat(500_000)],
    ['dollars', '$a$;'.repeat(250_000)],
    ['open comments', '/*'.repeat(500_000) + ';'],
    ['names', 'a '.repeat(500_000) + ';'],
  ])('takes a million characters of %s in its stride', (_, query) => {
    const start = performance.now();
    try {
      singleStatement(query);
    } catch {
      // Refusing the query is as safe as reading it correctly.
    }
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

/** What PostgreSQL's parser makes of the rest of a query. */
function outcome(query: string): unknown {
  try {
    return parseSync(singleStatement(query)).stmts?.[0]?.stmt;
  } catch (error) {
    return String(error).includes('several statements') ? 'several statements' : error;
  }
}
