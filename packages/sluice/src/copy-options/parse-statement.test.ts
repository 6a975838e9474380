import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser } from './parse-copy-options.ts';
import { singleStatement } from './parse-statement.ts';

beforeAll(async () => loadParser());

describe('singleStatement', () => {
  it.each([
    ['SELECT 1', 'SELECT 1'],
    ['SELECT 1; -- done', 'SELECT 1'],
    ['SELECT 1; /* done; really */ ;', 'SELECT 1'],
    ["-- first;\nSELECT 'é;' AS x; -- done", "SELECT 'é;' AS x"],
    ['SELECT $q$;$q$ AS "a;b" /* ; */', 'SELECT $q$;$q$ AS "a;b" /* ; */'],
    ['SELECT this is not SQL; x', 'SELECT this is not SQL; x'],
  ])('of %j is %j', (query, statement) => {
    expect(singleStatement(query)).toBe(statement);
  });

  it('refuses two statements', () => {
    expect(() => singleStatement('SELECT 1; DROP TABLE t')).toThrow(/several statements/);
  });
});
