import type { CompressionFormat } from '../compression/compression.ts';
import type { FileFormat } from './file-format.ts';

/** Letters, digits and what else stands in names of folders without an escape, whatever reads them. */
const PLAIN = /[\p{L}\p{N}_$~-]/u;

/** The folder of a table's files: `<prefix>schema.table/`. */
export function tableFolder(prefix: string, { schema, name }: { schema: string; name: string }): string {
  return `${prefix}${folderName(schema)}.${folderName(name)}/`;
}

/** `part-00000.csv.gz`: in the order of a table's pieces, as Hive, Spark and Athena name files. */
export function pieceKey(
  folder: string,
  index: number,
  { extension }: FileFormat,
  compression: CompressionFormat | undefined,
): string {
  return `${folder}part-${String(index).padStart(5, '0')}.${extension}${suffixOf(compression)}`;
}

function suffixOf(compression: CompressionFormat | undefined): string {
  if (compression === undefined) return '';
  return compression === 'gzip' ? '.gz' : '.zst';
}

/**
 * A name of the database as part of a folder's. Everything that could be taken for something else is escaped as in a
 * URL, so that two tables never share a folder: the dot between the names, the slash, the percent sign. A leading
 * underscore is, too, since Hive and Spark pass over such folders.
 */
function folderName(name: string): string {
  return Array.from(name)
    .map((character, index) =>
      PLAIN.test(character) && !(index === 0 && character === '_') ? character : escaped(character),
    )
    .join('');
}

function escaped(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
