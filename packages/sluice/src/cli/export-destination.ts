import type { ExportFlags } from './export.ts';

export interface Destination {
  bucket: string;
  path: string;
}

/** A query alone is one file, unless it is cut, or goes to a folder. */
export function hasSeveralFiles(
  { path }: Destination,
  { table = [], splitBy, dryRun }: ExportFlags,
): boolean {
  return table.length > 0 || splitBy !== undefined || dryRun === true || prefixOf(path) === path;
}

/** The path as the folder that files go to. */
export function prefixOf(path: string): string {
  return path === '' || path.endsWith('/') ? path : `${path}/`;
}
