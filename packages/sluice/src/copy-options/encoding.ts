/**
 * The encodings of PostgreSQL that a COPY file may have, by name.
 * Source: https://www.postgresql.org/docs/current/multibyte.html and src/common/encnames.c.
 */

/** Only lower-case letters and digits remain: PostgreSQL compares the names of encodings in this form. */
function normalise(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/**
 * PostgreSQL's name for each alias of UTF8, and of the encodings whose characters may contain bytes that look like
 * ASCII. Cutting between rows needs only these.
 */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    shiftjis: 'SJIS',
    mskanji: 'SJIS',
    win932: 'SJIS',
    windows932: 'SJIS',
    sjis: 'SJIS',
    big5: 'BIG5',
    win950: 'BIG5',
    windows950: 'BIG5',
    gbk: 'GBK',
    win936: 'GBK',
    windows936: 'GBK',
    uhc: 'UHC',
    win949: 'UHC',
    windows949: 'UHC',
    gb18030: 'GB18030',
    johab: 'JOHAB',
    shiftjis2004: 'SHIFT_JIS_2004',
    unicode: 'UTF8',
    utf8: 'UTF8',
  }),
);

/** IANA charset names (https://www.iana.org/assignments/character-sets) of the encodings that have one. */
const CHARSETS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    utf8: 'utf-8',
    latin1: 'iso-8859-1',
    latin2: 'iso-8859-2',
    latin3: 'iso-8859-3',
    latin4: 'iso-8859-4',
    latin5: 'iso-8859-9',
    latin6: 'iso-8859-10',
    latin7: 'iso-8859-13',
    latin8: 'iso-8859-14',
    latin9: 'iso-8859-15',
    latin10: 'iso-8859-16',
    iso88595: 'iso-8859-5',
    iso88596: 'iso-8859-6',
    iso88597: 'iso-8859-7',
    iso88598: 'iso-8859-8',
    koi8r: 'koi8-r',
    koi8u: 'koi8-u',
    win866: 'ibm866',
    win874: 'windows-874',
    win1250: 'windows-1250',
    win1251: 'windows-1251',
    win1252: 'windows-1252',
    win1253: 'windows-1253',
    win1254: 'windows-1254',
    win1255: 'windows-1255',
    win1256: 'windows-1256',
    win1257: 'windows-1257',
    win1258: 'windows-1258',
    eucjp: 'euc-jp',
    euckr: 'euc-kr',
    euccn: 'gb2312',
    sjis: 'shift_jis',
    big5: 'big5',
    gbk: 'gbk',
    gb18030: 'gb18030',
  }),
);

/** PostgreSQL's name of an encoding if it is in ALIASES, otherwise the name as given. */
export function canonicalEncoding(name: string): string {
  return ALIASES.get(normalise(name)) ?? name;
}

/** The charset of a Content-Type, or undefined where the encoding has none (SQL_ASCII, MULE_INTERNAL, ...). */
export function charsetOf(encoding: string): string | undefined {
  const name = normalise(canonicalEncoding(encoding));
  return CHARSETS.get(name) ?? CHARSETS.get(name.replace(/^windows/, 'win'));
}
