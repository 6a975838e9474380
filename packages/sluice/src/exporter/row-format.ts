/**
 * How the rows of a COPY stream are laid out, as far as cutting it between rows needs to know.
 * Source: https://www.postgresql.org/docs/current/sql-copy.html (File Formats).
 */
export type RowFormat = TextRowFormat | CsvRowFormat | BinaryRowFormat;

export interface TextRowFormat {
  format: 'text';
  /** The first line is a header, not a row. */
  header: boolean;
}

export interface CsvRowFormat {
  format: 'csv';
  header: boolean;
  /** One ASCII character. @default '"' in COPY */
  quote: string;
  /** One ASCII character. @default the quote character, in COPY */
  escape: string;
  /** The file's encoding, as PostgreSQL names it (UTF8, SJIS, GB18030, ...). */
  encoding: string;
}

export interface BinaryRowFormat {
  format: 'binary';
}
