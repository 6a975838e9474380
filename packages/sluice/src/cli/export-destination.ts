export interface Destination {
  bucket: string;
  path: string;
}

/** The path as the folder that files go to. */
export function prefixOf(path: string): string {
  return path === '' || path.endsWith('/') ? path : `${path}/`;
}
