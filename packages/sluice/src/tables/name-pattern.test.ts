import { describe, expect, it } from 'vitest';
import { parseNamePattern } from './name-pattern.ts';

describe('parseNamePattern', () => {
  it.each([
    ['orders', undefined, '^(orders)$', true],
    ['Public.Orders', '^(public)$', '^(orders)$', true],
    ['"Public"."Orders"', '^(Public)$', '^(Orders)$', true],
    ['archive.*', '^(archive)$', '^(.*)$', false],
    ['*.orders_????', '^(.*)$', '^(orders_....)$', false],
    ['a"B"c', undefined, '^(aBc)$', true],
    ['"say ""hi"""', undefined, '^(say "hi")$', true],
    ['"a.b*?[c]$"', undefined, '^(a\\.b\\*\\?\\[c\\]\\$)$', true],
    ['log_[0-9]+', undefined, '^(log_[0-9]+)$', false],
    ['a$', undefined, '^(a\\$)$', true],
    ['ÄÖ_İ日😀', undefined, '^(ÄÖ_İ日😀)$', true],
    ['a b;c--', undefined, '^(a b;c--)$', true],
  ])('%s', (text, schema, name, isLiteral) => {
    expect(parseNamePattern(text)).toMatchObject({ text, database: undefined, schema, name, isLiteral });
  });

  it('takes the name of the database before that of the schema', () => {
    expect(parseNamePattern('"My DB".s.t')).toMatchObject({
      database: 'My DB',
      schema: '^(s)$',
      name: '^(t)$',
    });
  });

  it.each([
    ['', 'lacks a name'],
    ['.t', 'lacks a name'],
    ['s.', 'lacks a name'],
    ['""', 'lacks a name'],
    ['"open', 'has an unclosed double quote'],
    ['a.b.c.d', 'has too many dots'],
    ['*.s.t', 'has a wildcard in the name of the database'],
    ['a\0b', 'holds a zero character'],
  ])('refuses %j', (text, message) => {
    expect(() => parseNamePattern(text)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(() => parseNamePattern(text)).toThrow(message);
  });
});
