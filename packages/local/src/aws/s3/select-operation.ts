import type { AwsRequest } from '../http/aws-request.ts';
import type { BucketAddress } from './bucket-address.ts';
import { operations } from './operations/index.ts';
import type { Route, S3Operation } from './operation.ts';
import { S3Error, notImplemented } from './s3-error.ts';

/**
 * Query parameters that select another operation. Without this list, `PUT /bucket?acl` would be taken for CreateBucket,
 * and `DELETE /bucket/key?tagging` for DeleteObject.
 */
const SUBRESOURCES = new Set([
  'accelerate',
  'acl',
  'analytics',
  'annotation',
  'attributes',
  'cors',
  'delete',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'location',
  'logging',
  'metadataConfiguration',
  'metadataTable',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'partNumber',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'renameObject',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versioning',
  'versions',
  'website',
]);

/** Subresources that are also parameters of other operations. */
const PARAMETER_OF: Readonly<Record<string, readonly string[]>> = {
  partNumber: ['GetObject', 'HeadObject'],
};

/** The operation of a request. @throws S3Error NotImplemented, MethodNotAllowed */
export function selectOperation(request: AwsRequest, address: BucketAddress): S3Operation {
  const targets: readonly S3Operation['target'][] =
    address.key !== undefined
      ? ['object']
      : address.bucket !== undefined
        ? ['bucket', 'bucket name']
        : ['service'];
  const [selected] = operations
    .filter(({ target, route }) => targets.includes(target) && matches(route, request))
    .toSorted((a, b) => conditions(b.route) - conditions(a.route));
  const subresources = request.query.entries.map(([name]) => name).filter((name) => SUBRESOURCES.has(name));
  const unknown = subresources.find((name) => !isConditionOf(selected, name));
  if (unknown !== undefined) throw notImplemented({ Header: unknown });
  if (selected !== undefined) return selected;
  if (request.method === 'POST' && address.key === undefined) {
    throw notImplemented({ Header: request.header('content-type') ?? 'POST' });
  }
  throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    details: { Method: request.method, ResourceType: (targets[0] ?? '').toUpperCase() },
  });
}

function matches(route: Route, request: AwsRequest): boolean {
  return (
    route.method === request.method &&
    (route.query ?? []).every((condition) => {
      const [name = '', value] = condition.split('=');
      return value === undefined ? request.query.has(name) : request.query.get(name) === value;
    }) &&
    (route.headers ?? []).every((name) => request.header(name) !== undefined)
  );
}

function conditions({ query = [], headers = [] }: Route): number {
  return query.length + headers.length;
}

function isConditionOf(operation: S3Operation | undefined, name: string): boolean {
  if (operation === undefined) return false;
  return (operation.route.query ?? []).includes(name) || (PARAMETER_OF[name] ?? []).includes(operation.name);
}
