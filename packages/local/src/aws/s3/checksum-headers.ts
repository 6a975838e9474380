import { checksumAlgorithms } from './checksums/checksum-algorithms.ts';
import type { StoredChecksum } from './storage/stored-object.ts';
import type { XmlElement } from './xml/write-xml.ts';

/** `x-amz-checksum-crc32: ...` and its type. */
export function checksumHeaders(checksum: StoredChecksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return {
    [checksumAlgorithms[checksum.algorithm].header]: checksum.value,
    'x-amz-checksum-type': checksum.type,
  };
}

/** `<ChecksumCRC32>...</ChecksumCRC32>` and its type. */
export function checksumElements(checksum: StoredChecksum | undefined): XmlElement[] {
  if (checksum === undefined) return [];
  return [
    [checksumAlgorithms[checksum.algorithm].element, checksum.value],
    ['ChecksumType', checksum.type],
  ];
}
