import { commonPrefixElements, contentsElement } from '../listing/contents-element.ts';
import { listKeys } from '../listing/list-keys.ts';
import {
  decodeContinuationToken,
  encodeContinuationToken,
  readKeyEncoder,
  readMaxKeys,
} from '../listing/listing-parameters.ts';
import { onBucket, type BucketOperation } from '../operation.ts';
import { writeXml } from '../xml/write-xml.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const listObjectsV2: BucketOperation = {
  name: 'ListObjectsV2',
  target: 'bucket',
  route: { method: 'GET', query: ['list-type=2'] },
  permissions: onBucket('s3:ListBucket'),
  run({ request: { query }, request, bucket, accountId }) {
    const encode = readKeyEncoder(request);
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter') ?? '';
    const startAfter = query.get('start-after');
    const token = query.get('continuation-token');
    const maxKeys = readMaxKeys(request);
    const ownerId = query.get('fetch-owner')?.toLowerCase() === 'true' ? accountId : undefined;
    const page = listKeys(bucket.objects, {
      prefix,
      delimiter,
      after: token === undefined ? (startAfter ?? '') : decodeContinuationToken(token),
      maxEntries: maxKeys,
    });
    const objects = page.keys.flatMap((key) => bucket.objects.get(key) ?? []);
    return {
      body: writeXml('ListBucketResult', [
        ['Name', bucket.name],
        ['Prefix', encode(prefix)],
        ['Delimiter', delimiter === '' ? undefined : encode(delimiter)],
        ['StartAfter', startAfter === undefined ? undefined : encode(startAfter)],
        ['ContinuationToken', token],
        ['NextContinuationToken', page.next === undefined ? undefined : encodeContinuationToken(page.next)],
        ['KeyCount', page.keys.length + page.commonPrefixes.length],
        ['MaxKeys', maxKeys],
        ['EncodingType', query.get('encoding-type')],
        ['IsTruncated', page.next !== undefined],
        ...objects.map((object) => contentsElement(object, encode, ownerId)),
        ...commonPrefixElements(page.commonPrefixes, encode),
      ]),
    };
  },
};
