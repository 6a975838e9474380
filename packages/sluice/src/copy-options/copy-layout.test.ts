import { beforeAll, describe, expect, it } from 'vitest';
import { copyLayout } from './copy-layout.ts';
import { loadParser, parseCopyOptions } from './parse-copy-options.ts';

beforeAll(async () => loadParser());

const layoutOf = (options: string, clientEncoding = 'UTF8') =>
  copyLayout(parseCopyOptions(options), clientEncoding);

describe('copyLayout', () => {
  it('is text without options', () => {
    expect(layoutOf('')).toEqual({
      rowFormat: { format: 'text', header: false },
      contentType: 'text/plain; charset=utf-8',
    });
  });

  it('knows the quoting of CSV: the escape character is the quote character unless given', () => {
    expect(layoutOf("format csv, header, quote ''''").rowFormat).toEqual({
      format: 'csv',
      header: true,
      quote: "'",
      escape: "'",
      encoding: 'UTF8',
    });
    expect(layoutOf("format csv, escape '\\'").rowFormat).toMatchObject({ quote: '"', escape: '\\' });
  });

  it('takes the encoding from the options before the session, under the name that cutting knows', () => {
    expect(layoutOf("format csv, encoding 'Shift_JIS'", 'LATIN1').rowFormat).toMatchObject({
      encoding: 'SJIS',
    });
    expect(layoutOf('format csv', 'windows-936').rowFormat).toMatchObject({ encoding: 'GBK' });
  });

  it.each([
    ['format csv, encoding WIN1253', 'text/csv; charset=windows-1253'],
    ["format csv, encoding 'windows-1252'", 'text/csv; charset=windows-1252'],
    ["encoding 'LATIN9'", 'text/plain; charset=iso-8859-15'],
    ['encoding SQL_ASCII', 'text/plain'],
    ['encoding constructor', 'text/plain'],
    ["encoding '__proto__'", 'text/plain'],
    ['format binary, encoding WIN1253', 'application/octet-stream'],
  ])('says of %s that it is %s', (options, contentType) => {
    expect(layoutOf(options).contentType).toBe(contentType);
  });

  it.each([
    ['header false', false],
    ['header off', false],
    ['header 0', false],
    ['header', true],
    ['header 1', true],
    ['header match', true],
  ])('reads "%s" as PostgreSQL reads a Boolean', (options, header) => {
    expect(layoutOf(options).rowFormat).toMatchObject({ header });
  });
});
