export interface Destination {
  bucket: string;
  path: string;
}

/** Whether a query goes to the path as it is given: it is alone, is not cut, and the path is no folder. */
export function isOneFile(
  { path }: Pick<Destination, 'path'>,
  { table = [], splitBy }: { table?: readonly string[]; splitBy?: string | undefined },
): boolean {
  return table.length === 0 && splitBy === undefined && prefixOf(path) !== path;
}

/** The path as the folder that files go to. */
export function prefixOf(path: string): string {
  return path === '' || path.endsWith('/') ? path : `${path}/`;
}
