import { compareUtf8 } from '../storage/utf8-order.ts';
import type { KeyIndex } from '../storage/key-index.ts';

export interface ListKeysOptions {
  readonly prefix: string;
  /** Empty when the request has none. */
  readonly delimiter: string;
  /** List only what comes after this key or common prefix. */
  readonly after: string;
  readonly maxEntries: number;
}

/** A page of a listing. Its entries are keys and common prefixes, in one order. */
export interface KeyPage {
  readonly keys: readonly string[];
  readonly commonPrefixes: readonly string[];
  /** The last entry of this page, when there are more. */
  readonly next: string | undefined;
}

/**
 * Lists keys in UTF-8 order. Keys that contain the delimiter after the prefix are combined into one common prefix. The
 * keys of a common prefix are skipped with one binary search, however many they are.
 */
export function listKeys(index: KeyIndex<unknown>, options: ListKeysOptions): KeyPage {
  const { prefix, after, maxEntries } = options;
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  let last: string | undefined;
  let walk = index.keysFrom((key) => compareUtf8(key, prefix) >= 0 && compareUtf8(key, after) > 0);
  for (;;) {
    const { value: key, done } = walk.next();
    if (done === true || !key.startsWith(prefix)) return { keys, commonPrefixes, next: undefined };
    const commonPrefix = commonPrefixOf(key, options);
    // A page that ended with a common prefix continues with that prefix's keys, which must not give the prefix again.
    if (commonPrefix === undefined || commonPrefix !== after) {
      if (keys.length + commonPrefixes.length >= maxEntries) {
        return { keys, commonPrefixes, next: maxEntries === 0 ? undefined : last };
      }
      if (commonPrefix === undefined) keys.push(key);
      else commonPrefixes.push(commonPrefix);
      last = commonPrefix ?? key;
    }
    if (commonPrefix !== undefined) {
      walk = index.keysFrom(
        (other) => compareUtf8(other, commonPrefix) >= 0 && !other.startsWith(commonPrefix),
      );
    }
  }
}

/** The key up to the first delimiter behind the prefix, if there is one. */
function commonPrefixOf(key: string, { prefix, delimiter }: ListKeysOptions): string | undefined {
  const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return end === -1 ? undefined : key.slice(0, end + delimiter.length);
}
