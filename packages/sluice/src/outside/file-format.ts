import type { RowFormat } from '../exporter/row-format.ts';

/** What kind of file COPY's bytes make. */
export interface FileFormat {
  /** Without the dot. */
  extension: string;
}

/** COPY's text format has backslash escapes, so it is no TSV; its binary format has no name of its own. */
export function fileFormat({ format }: RowFormat): FileFormat {
  switch (format) {
    case 'csv':
      return { extension: 'csv' };
    case 'binary':
      return { extension: 'bin' };
    case 'text':
      return { extension: 'txt' };
    default:
      return format satisfies never;
  }
}
