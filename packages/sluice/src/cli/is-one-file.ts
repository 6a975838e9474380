/** Whether a query goes to the path as it is given: it is alone, is not cut, and the path is no folder. */
export function isOneFile(
  { path }: { path: string },
  { table = [], splitBy }: { table?: readonly string[]; splitBy?: string | undefined },
): boolean {
  return table.length === 0 && splitBy === undefined && path !== '' && !path.endsWith('/');
}
