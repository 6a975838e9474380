import type { AwsRequest } from '../http/aws-request.ts';
import { S3Error, invalidArgument, notImplemented } from './s3-error.ts';
import { parseTagging } from './tagging.ts';
import type { ObjectAttributes } from './storage/stored-object.ts';

/** Headers that are stored with the object and returned unchanged. */
const KEPT_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
  'x-amz-website-redirect-location',
];

const USER_METADATA_PREFIX = 'x-amz-meta-';
const USER_METADATA_MAX_BYTES = 2048;

const STORAGE_CLASSES = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
]);

/** ACLs that grant nothing beyond the full control that the owner of the bucket has in any case. */
const HARMLESS_ACLS = new Set(['private', 'bucket-owner-full-control', 'bucket-owner-read']);

const SSE = 'x-amz-server-side-encryption';
const SSE_KMS_HEADERS = [`${SSE}-aws-kms-key-id`, `${SSE}-context`, `${SSE}-bucket-key-enabled`];

/** The attributes in the headers of PutObject, CopyObject and CreateMultipartUpload. @throws S3Error */
export function readObjectAttributes(request: AwsRequest): ObjectAttributes {
  declineUnsupported(request);
  return {
    ...readMetadata(request),
    encryption: readEncryption(request),
    ...readStorageClass(request),
    ...readTagging(request),
  };
}

/** The attributes that CopyObject either copies or replaces as a whole. */
function readMetadata(request: AwsRequest): Pick<ObjectAttributes, 'headers' | 'userMetadata'> {
  const headers: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of KEPT_HEADERS) {
    const value = name === 'content-encoding' ? readContentEncoding(request) : request.header(name);
    if (value !== undefined && value !== '') headers[name] = value;
  }
  const userMetadata = new Map<string, string>();
  let sizeBytes = 0;
  for (const header of request.headers.names()) {
    if (!header.startsWith(USER_METADATA_PREFIX)) continue;
    const name = header.slice(USER_METADATA_PREFIX.length);
    const value = request.header(header) ?? '';
    userMetadata.set(name, value);
    sizeBytes += name.length + value.length;
  }
  if (sizeBytes > USER_METADATA_MAX_BYTES) {
    throw new S3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      details: { Size: String(sizeBytes), MaxSizeAllowed: String(USER_METADATA_MAX_BYTES) },
    });
  }
  return { headers, userMetadata: Object.fromEntries(userMetadata) };
}

/** The headers with which an object's attributes are returned. */
export function attributeHeaders(attributes: ObjectAttributes): Record<string, string> {
  const headers: Record<string, string> = { ...attributes.headers, ...attributes.encryption };
  for (const [name, value] of Object.entries(attributes.userMetadata))
    headers[USER_METADATA_PREFIX + name] = value;
  if (attributes.storageClass !== undefined) headers['x-amz-storage-class'] = attributes.storageClass;
  const tags = parseTagging(attributes.tagging ?? '');
  if (tags.length > 0) headers['x-amz-tagging-count'] = String(tags.length);
  return headers;
}

/** aws-chunked is an encoding of the request, and is not stored. */
function readContentEncoding(request: AwsRequest): string | undefined {
  return request
    .header('content-encoding')
    ?.split(',')
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== 'aws-chunked')
    .join(',');
}

/** Nothing is encrypted here: what was requested is stored and returned. Every object has at least SSE-S3. */
function readEncryption(request: AwsRequest): Record<string, string> {
  const algorithm = request.header(SSE);
  const kmsHeaders = SSE_KMS_HEADERS.filter((name) => request.header(name) !== undefined);
  if (algorithm === 'aws:kms' || algorithm === 'aws:kms:dsse') {
    const encryption: Record<string, string> = { [SSE]: algorithm };
    for (const name of kmsHeaders) encryption[name] = request.header(name) ?? '';
    return encryption;
  }
  if (algorithm !== undefined && algorithm !== 'AES256') {
    throw new S3Error('InvalidEncryptionAlgorithmError', 'The encryption method specified is not supported', {
      details: { ArgumentName: SSE, ArgumentValue: algorithm },
    });
  }
  const keyId = request.header(`${SSE}-aws-kms-key-id`);
  if (keyId !== undefined) {
    throw invalidArgument(
      `Server Side Encryption with AWS KMS managed key requires HTTP header ${SSE} : aws:kms`,
      SSE,
      algorithm ?? 'null',
    );
  }
  return { [SSE]: 'AES256' };
}

function readStorageClass(request: AwsRequest): { storageClass?: string } {
  const storageClass = request.header('x-amz-storage-class');
  if (storageClass === undefined || storageClass === 'STANDARD') return {};
  if (STORAGE_CLASSES.has(storageClass)) return { storageClass };
  throw new S3Error('InvalidStorageClass', 'The storage class you specified is not valid', {
    details: { StorageClassRequested: storageClass },
  });
}

function readTagging(request: AwsRequest): { tagging?: string } {
  const tagging = request.header('x-amz-tagging');
  if (tagging === undefined || tagging === '') return {};
  parseTagging(tagging);
  return { tagging };
}

function declineUnsupported(request: AwsRequest): void {
  if (request.header(`${SSE}-customer-algorithm`) !== undefined) {
    throw notImplemented({ Header: `${SSE}-customer-algorithm` });
  }
  const lock = request.headers.names().find((name) => name.startsWith('x-amz-object-lock-'));
  if (lock !== undefined) {
    throw new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  }
  const acl = request.header('x-amz-acl');
  const grant = request.headers.names().some((name) => name.startsWith('x-amz-grant-'));
  if (grant || (acl !== undefined && !HARMLESS_ACLS.has(acl))) {
    throw new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs');
  }
}
