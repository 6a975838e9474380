import { compareUtf8 } from '../storage/utf8-order.ts';
import type { KeyIndex } from '../storage/key-index.ts';

export interface ListKeysOptions {
  readonly prefix: string;
  /** Empty for none. */
  readonly delimiter: string;
  /** Only what comes after this key, or this common prefix. */
  readonly after: string;
  readonly maxEntries: number;
}

/** A page of a listing: keys and common prefixes together are its entries, in one order. */
export interface KeyPage {
  readonly keys: readonly string[];
  readonly commonPrefixes: readonly string[];
  /** The last entry, when there are more. */
  readonly next: string | undefined;
}

/**
 * Lists keys in UTF-8 order. Keys that have the delimiter after the prefix are shown as one common prefix, which is
 * found with one binary search however many keys it stands for.
 */
export function listKeys(index: KeyIndex<unknown>, options: ListKeysOptions): KeyPage {
  const { prefix, delimiter, after, maxEntries } = options;
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  let last: string | undefined;
  let position = firstPosition(index, options);
  for (;;) {
    const key = index.keyAt(position);
    if (key === undefined || !key.startsWith(prefix)) return { keys, commonPrefixes, next: undefined };
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const commonPrefix = end === -1 ? undefined : key.slice(0, end + delimiter.length);
    // Its keys come after it, but it was the last entry of the page before.
    const wasListed = commonPrefix !== undefined && commonPrefix === after;
    if (!wasListed) {
      if (keys.length + commonPrefixes.length >= maxEntries) {
        return { keys, commonPrefixes, next: maxEntries === 0 ? undefined : last };
      }
      if (commonPrefix === undefined) keys.push(key);
      else commonPrefixes.push(commonPrefix);
      last = commonPrefix ?? key;
    }
    position = commonPrefix === undefined ? position + 1 : positionBehind(index, commonPrefix);
  }
}

function firstPosition(index: KeyIndex<unknown>, { prefix, after }: ListKeysOptions): number {
  return index.firstPosition((key) => compareUtf8(key, prefix) >= 0 && compareUtf8(key, after) > 0);
}

/** The first key behind all that begin with a prefix. */
function positionBehind(index: KeyIndex<unknown>, prefix: string): number {
  return index.firstPosition((key) => compareUtf8(key, prefix) >= 0 && !key.startsWith(prefix));
}
