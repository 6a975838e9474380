import type { XmlElement } from '../xml/write-xml.ts';

/** The only ACL there is: the owner has full control. */
export function aclElements(ownerId: string): XmlElement[] {
  return [
    ['Owner', [['ID', ownerId]]],
    [
      'AccessControlList',
      [
        [
          'Grant',
          [
            [
              'Grantee',
              [['ID', ownerId]],
              { 'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance', 'xsi:type': 'CanonicalUser' },
            ],
            ['Permission', 'FULL_CONTROL'],
          ],
        ],
      ],
    ],
  ];
}
