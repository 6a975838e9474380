import { readMaxKeys } from '../listing/listing-parameters.ts';
import type { ServiceOperation } from '../operation.ts';
import { writeXml } from '../xml/write-xml.ts';

const MOST_BUCKETS = 10_000;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
export const listBuckets: ServiceOperation = {
  name: 'ListBuckets',
  target: 'service',
  route: { method: 'GET' },
  permissions: () => [{ action: 's3:ListAllMyBuckets', resource: '*' }],
  run({ request, store, accountId }) {
    const prefix = request.query.get('prefix') ?? '';
    const region = request.query.get('bucket-region');
    const after = Buffer.from(request.query.get('continuation-token') ?? '', 'base64url').toString();
    const most = readMaxKeys(request, 'max-buckets', MOST_BUCKETS);
    const matching = store
      .list()
      .filter(({ name }) => name.startsWith(prefix) && name > after)
      .filter((bucket) => region === undefined || bucket.region === region);
    const page = matching.slice(0, most);
    const next = matching.length > page.length ? page.at(-1)?.name : undefined;
    return {
      body: writeXml('ListAllMyBucketsResult', [
        ['Owner', [['ID', accountId]]],
        [
          'Buckets',
          page.map((bucket) => [
            'Bucket',
            [
              ['Name', bucket.name],
              ['CreationDate', new Date(bucket.createdAt).toISOString()],
              ['BucketRegion', bucket.region],
            ],
          ]),
        ],
        ['ContinuationToken', next === undefined ? undefined : Buffer.from(next).toString('base64url')],
        ['Prefix', request.query.get('prefix')],
      ]),
    };
  },
};
