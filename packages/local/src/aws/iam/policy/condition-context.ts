/**
 * The condition keys of a request with their values, e.g. the entries of a Map or an object. A key with a list of
 * values is multivalued (`aws:TagKeys`), even if the list has one entry. A key that the request lacks must not be in
 * the list.
 */
export type ConditionEntries = Iterable<readonly [key: string, value: string | readonly string[]]>;

/** Key names are not case-sensitive, tag names in them (`aws:PrincipalTag/Team`) included. */
export interface ConditionContext {
  /** Every value of a key; undefined when the request has none. */
  values(key: string): readonly string[] | undefined;
  /** The value of a single-valued key. Multivalued keys can't be used as policy variables. */
  single(key: string): string | undefined;
}

/** If several lists contain the same key, the last list counts. */
export function conditionContext(...lists: readonly ConditionEntries[]): ConditionContext {
  const byKey = new Map<string, string | readonly string[]>();
  for (const entries of lists) {
    for (const [key, value] of entries) byKey.set(key.toLowerCase(), value);
  }
  return {
    values(key) {
      const value = byKey.get(key.toLowerCase());
      if (typeof value === 'string') return [value];
      return value?.length === 0 ? undefined : value;
    },
    single(key) {
      const value = byKey.get(key.toLowerCase());
      return typeof value === 'string' ? value : undefined;
    },
  };
}
