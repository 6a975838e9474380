import type { StoredObject } from '../storage/stored-object.ts';
import type { XmlElement } from '../xml/write-xml.ts';
import type { KeyEncoder } from './listing-parameters.ts';

/** `<Contents>` of ListObjects and ListObjectsV2. @param ownerId left out when undefined */
export function contentsElement(
  object: StoredObject,
  encode: KeyEncoder,
  ownerId: string | undefined,
): XmlElement {
  return [
    'Contents',
    [
      ['Key', encode(object.key)],
      ['LastModified', new Date(object.lastModified).toISOString()],
      ['ETag', `"${object.etag}"`],
      ['ChecksumAlgorithm', object.checksum?.algorithm],
      ['ChecksumType', object.checksum?.type],
      ['Size', object.sizeBytes],
      ['Owner', ownerId === undefined ? undefined : [['ID', ownerId]]],
      ['StorageClass', object.storageClass ?? 'STANDARD'],
    ],
  ];
}

export function commonPrefixElements(prefixes: readonly string[], encode: KeyEncoder): XmlElement[] {
  return prefixes.map((prefix) => ['CommonPrefixes', [['Prefix', encode(prefix)]]]);
}
