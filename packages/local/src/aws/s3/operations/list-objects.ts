import { commonPrefixElements, contentsElement } from '../listing/contents-element.ts';
import { listKeys } from '../listing/list-keys.ts';
import { readKeyEncoder, readMaxKeys } from '../listing/listing-parameters.ts';
import { onBucket, type BucketOperation } from '../operation.ts';
import { writeXml } from '../xml/write-xml.ts';

/**
 * The first version of the API. NextMarker is given only with a delimiter; without one, clients use the last key.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
 */
export const listObjects: BucketOperation = {
  name: 'ListObjects',
  target: 'bucket',
  route: { method: 'GET' },
  permissions: onBucket('s3:ListBucket'),
  run({ request: { query }, request, bucket, accountId }) {
    const encode = readKeyEncoder(request);
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter') ?? '';
    const marker = query.get('marker') ?? '';
    const maxKeys = readMaxKeys(request);
    const page = listKeys(bucket.objects, { prefix, delimiter, after: marker, maxEntries: maxKeys });
    const objects = page.keys.flatMap((key) => bucket.objects.get(key) ?? []);
    return {
      body: writeXml('ListBucketResult', [
        ['Name', bucket.name],
        ['Prefix', encode(prefix)],
        ['Marker', encode(marker)],
        ['NextMarker', delimiter === '' || page.next === undefined ? undefined : encode(page.next)],
        ['MaxKeys', maxKeys],
        ['Delimiter', delimiter === '' ? undefined : encode(delimiter)],
        ['EncodingType', query.get('encoding-type')],
        ['IsTruncated', page.next !== undefined],
        ...objects.map((object) => contentsElement(object, encode, accountId)),
        ...commonPrefixElements(page.commonPrefixes, encode),
      ]),
    };
  },
};
