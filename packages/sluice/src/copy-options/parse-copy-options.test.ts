import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser, parseCopyOptions } from './parse-copy-options.ts';

beforeAll(async () => loadParser());

describe('parseCopyOptions', () => {
  it.each([
    ['', []],
    ['  ', []],
    ['format text', [{ name: 'format', value: 'text' }]],
    [
      'format csv, delimiter $$:$$',
      [
        { name: 'format', value: 'csv' },
        { name: 'delimiter', value: ':' },
      ],
    ],
    [
      'format csv, HEADER true',
      [
        { name: 'format', value: 'csv' },
        { name: 'header', value: 'true' },
      ],
    ],
    [
      'format binary, encoding WIN1253',
      [
        { name: 'format', value: 'binary' },
        { name: 'encoding', value: 'win1253' },
      ],
    ],
    [
      '(format csv, header)',
      [
        { name: 'format', value: 'csv' },
        { name: 'header', value: null },
      ],
    ],
    ['header 1', [{ name: 'header', value: 1 }]],
    ['force_quote *', [{ name: 'force_quote', value: true }]],
    ['force_quote (a, "B b", "q""q")', [{ name: 'force_quote', value: ['a', 'B b', 'q"q'] }]],
    [
      "delimiter E'\\t', null ''",
      [
        { name: 'delimiter', value: '\t' },
        { name: 'null', value: '' },
      ],
    ],
    ['format csv -- the rest', [{ name: 'format', value: 'csv' }]],
    [
      "quote '''', escape '\\'",
      [
        { name: 'quote', value: "'" },
        { name: 'escape', value: '\\' },
      ],
    ],
    ['format', [{ name: 'format', value: null }]],
    ['freeze true', [{ name: 'freeze', value: 'true' }]],
  ])('reads %j', (text, expected) => {
    expect(parseCopyOptions(text)).toEqual(expected);
  });

  it.each([
    [String.raw`delimiter '\t', null '\''`, '\t', "'"],
    [String.raw`delimiter '|', null E'\\N'`, '|', '\\N'],
    [String.raw`delimiter $$\$$, null/* '\' */'''\''--' -- '`, '\\', "''"],
  ])('reads %s as a session does where a backslash escapes', (text, delimiter, missing) => {
    expect(parseCopyOptions(text, { backslashEscapes: true })).toEqual([
      { name: 'delimiter', value: delimiter },
      { name: 'null', value: missing },
    ]);
  });

  it('knows whether a string has ended', () => {
    const text = String.raw`null '\') TO PROGRAM id --'`;
    expect(() => parseCopyOptions(text)).toThrow(expect.objectContaining({ code: 'options_syntax' }));
    expect(parseCopyOptions(text, { backslashEscapes: true })).toEqual([
      { name: 'null', value: "') TO PROGRAM id --" },
    ]);
  });

  it('reads NULL as no options', () => {
    expect(parseCopyOptions(null)).toEqual([]);
  });

  it.each([
    "format csv) TO PROGRAM 'id'",
    "format csv) TO PROGRAM 'id' --",
    'format csv); DROP TABLE t; --',
    'format csv); COPY t TO STDOUT WITH (format csv',
    '(format csv); SELECT 1',
    '(format csv) WHERE (true)',
    '()',
    'format csv,',
    "'format' csv",
    'format = csv',
    "delimiter (SELECT ':')",
    'x'.repeat(100_001),
  ])('refuses %.60s with a syntax error', (text) => {
    expect(() => parseCopyOptions(text)).toThrow(expect.objectContaining({ code: 'options_syntax' }));
  });

  it("refuses an option that COPY does not know, in COPY's words", () => {
    expect(() => parseCopyOptions('shape square')).toThrow('option "shape" not recognized');
  });
});
