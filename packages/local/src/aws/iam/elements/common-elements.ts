import type { XmlElement } from 'sluice/aws-protocol';
import type { IdentityView } from '../identity-kinds.ts';
import type { Tag } from '../state/iam-state.ts';

/** A list as the Query protocol writes it. */
export function listElement<Item>(
  name: string,
  items: readonly Item[],
  content: (item: Item) => string | readonly XmlElement[],
): XmlElement {
  return [name, items.map((item) => ['member', content(item)] as const)];
}

/** Nothing when there are no tags. */
export function tagElements(tags: readonly Readonly<Tag>[]): XmlElement[] {
  return tags.length === 0 ? [] : [tagList(tags)];
}

export function tagList(tags: readonly Readonly<Tag>[]): XmlElement {
  return listElement('Tags', tags, ({ key, value }) => [
    ['Key', key],
    ['Value', value],
  ]);
}

export function boundaryElements({ permissionsBoundary }: IdentityView): XmlElement[] {
  if (permissionsBoundary === undefined) return [];
  return [
    [
      'PermissionsBoundary',
      [
        ['PermissionsBoundaryType', 'Policy'],
        ['PermissionsBoundaryArn', permissionsBoundary],
      ],
    ],
  ];
}
