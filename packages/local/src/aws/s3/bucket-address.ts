/** The bucket and key of a request, from its host and path. */
export interface BucketAddress {
  readonly style: 'path' | 'virtual-host';
  /** Undefined for the service itself. */
  readonly bucket: string | undefined;
  /** Undefined for the service and for buckets; never empty. */
  readonly key: string | undefined;
}

/**
 * Host names that lead to the loopback interface, or that a proxy may pass on. In `<bucket>.<name>` the first part is a
 * bucket.
 */
const HOST_SUFFIXES = [
  'localhost',
  'localhost.localdomain',
  'localtest.me',
  'lvh.me',
  '127.0.0.1.nip.io',
  '127.0.0.1.sslip.io',
  'amazonaws.com',
];

/** `s3`, `s3.eu-west-1`, `s3-eu-west-1`, alone or after a bucket. */
const SERVICE_LABELS = /^(?:(.+)\.)?s3(?:\.dualstack)?(?:[.-][a-z]{2,}(?:-[a-z]+)+-\d+)?$/;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html */
export function parseBucketAddress(hostname: string, path: string): BucketAddress {
  const bucket = bucketOfHost(hostname);
  const withoutSlash = path.slice(1);
  if (bucket !== undefined) {
    return { style: 'virtual-host', bucket, key: withoutSlash === '' ? undefined : withoutSlash };
  }
  if (withoutSlash === '') return { style: 'path', bucket: undefined, key: undefined };
  const slash = withoutSlash.indexOf('/');
  const key = slash === -1 ? '' : withoutSlash.slice(slash + 1);
  return {
    style: 'path',
    bucket: slash === -1 ? withoutSlash : withoutSlash.slice(0, slash),
    key: key === '' ? undefined : key,
  };
}

function bucketOfHost(hostname: string): string | undefined {
  const suffix = HOST_SUFFIXES.find((candidate) => hostname.endsWith(`.${candidate}`));
  if (suffix === undefined) return undefined;
  const labels = hostname.slice(0, -suffix.length - 1);
  const service = SERVICE_LABELS.exec(labels);
  if (service !== null) return service[1];
  return suffix === 'amazonaws.com' ? undefined : labels;
}
