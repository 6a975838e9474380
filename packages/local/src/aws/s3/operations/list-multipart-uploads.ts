import { commonPrefixElements } from '../listing/contents-element.ts';
import { readKeyEncoder, readMaxKeys } from '../listing/listing-parameters.ts';
import { listUploads } from '../listing/list-uploads.ts';
import { onBucket, type BucketOperation } from '../operation.ts';
import { writeXml } from '../xml/write-xml.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export const listMultipartUploads: BucketOperation = {
  name: 'ListMultipartUploads',
  target: 'bucket',
  route: { method: 'GET', query: ['uploads'] },
  permissions: onBucket('s3:ListBucketMultipartUploads'),
  run({ request: { query }, request, bucket, accountId }) {
    const encode = readKeyEncoder(request);
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter') ?? '';
    const keyMarker = query.get('key-marker') ?? '';
    const uploadIdMarker = query.get('upload-id-marker') ?? '';
    const maxUploads = readMaxKeys(request, 'max-uploads');
    const uploads = [...bucket.uploads.values()].map(({ upload }) => upload);
    const page = listUploads(uploads, { prefix, delimiter, keyMarker, uploadIdMarker, maxUploads });
    const owner = [['ID', accountId]] as const;
    return {
      body: writeXml('ListMultipartUploadsResult', [
        ['Bucket', bucket.name],
        ['KeyMarker', encode(keyMarker)],
        ['UploadIdMarker', uploadIdMarker],
        ['NextKeyMarker', page.next === undefined ? undefined : encode(page.next.key)],
        ['NextUploadIdMarker', page.next?.uploadId],
        ['Prefix', encode(prefix)],
        ['Delimiter', delimiter === '' ? undefined : encode(delimiter)],
        ['EncodingType', query.get('encoding-type')],
        ['MaxUploads', maxUploads],
        ['IsTruncated', page.next !== undefined],
        ...page.uploads.map(
          (upload) =>
            [
              'Upload',
              [
                ['Key', encode(upload.key)],
                ['UploadId', upload.uploadId],
                ['Initiator', owner],
                ['Owner', owner],
                ['StorageClass', upload.storageClass ?? 'STANDARD'],
                ['Initiated', new Date(upload.initiated).toISOString()],
                ['ChecksumAlgorithm', upload.checksum?.algorithm],
                ['ChecksumType', upload.checksum?.type],
              ],
            ] as const,
        ),
        ...commonPrefixElements(page.commonPrefixes, encode),
      ]),
    };
  },
};
