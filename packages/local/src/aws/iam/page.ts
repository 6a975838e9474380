import type { XmlElement } from 'sluice/aws-protocol';
import { QueryError } from '../query/query-error.ts';
import type { QueryForm } from '../query/query-form.ts';

/** A part of a list, and what the answer says of the rest. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** `IsTruncated` and `Marker`. */
  readonly elements: readonly XmlElement[];
}

const DEFAULT_ITEMS = 100;
const MOST_ITEMS = 1000;

/**
 * Cuts a list by MaxItems and Marker.
 * @param keyOf gives a key that is unique in the list; the list is sorted by it
 * @throws QueryError ValidationError, InvalidInput
 */
export function cutPage<Item>(
  form: QueryForm,
  list: readonly Item[],
  keyOf: (item: Item) => string,
): Page<Item> {
  const mostItems = form.integer('MaxItems', { min: 1, max: MOST_ITEMS }) ?? DEFAULT_ITEMS;
  const after = readMarker(form);
  const behind = list
    .filter((item) => after === undefined || keyOf(item) > after)
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const items = behind.slice(0, mostItems);
  const last = items.at(-1);
  const isTruncated = behind.length > items.length;
  return {
    items,
    elements: [
      ['IsTruncated', isTruncated],
      [
        'Marker',
        isTruncated && last !== undefined
          ? Buffer.from(`after ${keyOf(last)}`).toString('base64')
          : undefined,
      ],
    ],
  };
}

function readMarker(form: QueryForm): string | undefined {
  const marker = form.optional('Marker', { max: 4096 });
  if (marker === undefined) return undefined;
  const text = Buffer.from(marker, 'base64').toString();
  if (text.startsWith('after ')) return text.slice('after '.length);
  throw new QueryError('InvalidInput', 400, 'Invalid Marker.');
}
