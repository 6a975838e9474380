import {
  checksumAlgorithmNames,
  checksumAlgorithms,
  type ChecksumAlgorithm,
} from '../checksums/checksum-algorithms.ts';
import { MOST_PARTS } from '../limits.ts';
import { S3Error, malformedXml } from '../s3-error.ts';
import type { XmlNode } from '../xml/read-xml.ts';
import { parsePartNumber } from './part-number.ts';

/** A part as CompleteMultipartUpload names it. */
export interface ClaimedPart {
  readonly partNumber: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksums: readonly { readonly algorithm: ChecksumAlgorithm; readonly value: string }[];
}

/** Reads the parts of a CompleteMultipartUpload body. @throws S3Error MalformedXML, InvalidPartOrder */
export function parseClaimedParts(root: XmlNode): ClaimedPart[] {
  const nodes = root.all('Part');
  if (nodes.length === 0 || nodes.length > MOST_PARTS) throw malformedXml();
  let previous = 0;
  return nodes.map((node) => {
    const partNumber = parsePartNumber(node.textOf('PartNumber') ?? '');
    const etag = node.textOf('ETag');
    if (partNumber === undefined || etag === undefined) throw malformedXml();
    if (partNumber <= previous) {
      throw new S3Error(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    }
    previous = partNumber;
    return { partNumber, etag: etag.replace(/^"(.*)"$/, '$1'), checksums: parseChecksums(node) };
  });
}

function parseChecksums(node: XmlNode): ClaimedPart['checksums'] {
  return checksumAlgorithmNames.flatMap((algorithm) => {
    const value = node.textOf(checksumAlgorithms[algorithm].element);
    return value === undefined ? [] : [{ algorithm, value }];
  });
}
