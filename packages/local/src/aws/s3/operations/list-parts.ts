import { checksumAlgorithms } from '../checksums/checksum-algorithms.ts';
import { readMaxKeys } from '../listing/listing-parameters.ts';
import { findUpload } from '../multipart/find-upload.ts';
import { onObject, type ObjectOperation } from '../operation.ts';
import { invalidArgument } from '../s3-error.ts';
import { writeXml } from '../xml/write-xml.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export const listParts: ObjectOperation = {
  name: 'ListParts',
  target: 'object',
  route: { method: 'GET', query: ['uploadId'] },
  permissions: onObject('s3:ListMultipartUploadParts'),
  run(call) {
    const { upload, parts } = findUpload(call);
    const markerText = call.request.query.get('part-number-marker') || '0';
    if (!/^\d{1,10}$/.test(markerText)) {
      throw invalidArgument(
        'Argument part-number-marker must be an integer',
        'part-number-marker',
        markerText,
      );
    }
    const maxParts = readMaxKeys(call.request, 'max-parts');
    const behind = [...parts.values()]
      .filter(({ partNumber }) => partNumber > Number(markerText))
      .toSorted((a, b) => a.partNumber - b.partNumber);
    const page = behind.slice(0, maxParts);
    const owner = [['ID', call.accountId]] as const;
    return {
      body: writeXml('ListPartsResult', [
        ['Bucket', call.bucket.name],
        ['Key', call.key],
        ['UploadId', upload.uploadId],
        ['Initiator', owner],
        ['Owner', owner],
        ['StorageClass', upload.storageClass ?? 'STANDARD'],
        ['PartNumberMarker', Number(markerText)],
        ['NextPartNumberMarker', page.at(-1)?.partNumber ?? 0],
        ['MaxParts', maxParts],
        ['IsTruncated', page.length > 0 && page.length < behind.length],
        ['ChecksumAlgorithm', upload.checksum?.algorithm],
        ['ChecksumType', upload.checksum?.type],
        ...page.map(
          (part) =>
            [
              'Part',
              [
                ['PartNumber', part.partNumber],
                ['LastModified', new Date(part.lastModified).toISOString()],
                ['ETag', `"${part.etag}"`],
                ['Size', part.sizeBytes],
                ...(part.checksum === undefined
                  ? []
                  : [[checksumAlgorithms[part.checksum.algorithm].element, part.checksum.value] as const]),
              ],
            ] as const,
        ),
      ]),
    };
  },
};
