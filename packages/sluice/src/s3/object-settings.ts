import { SluiceError } from '../errors.ts';
import { metadataHeaders, validateMetadata } from './object-metadata.ts';
import { taggingOf, validateTags } from './object-tags.ts';

/** How the user of an export wants its objects to be stored. */
export interface StorageSettings {
  /** A KMS key (id, ARN or alias) to encrypt with. @default the bucket's own encryption */
  kmsKeyId?: string | undefined;
  /** Such as `STANDARD_IA`. S3 knows which there are. @default the store's: STANDARD */
  storageClass?: string | undefined;
  /**
   * At most 10, a key of up to 128 characters and a value of up to 256 each: letters, digits, spaces and `_ . : / = + - @`.
   * Storing an object with tags also needs s3:PutObjectTagging.
   */
  tags?: Readonly<Record<string, string>> | undefined;
  /**
   * User-defined metadata (`x-amz-meta-*`), 2 KB of names and values in all: names that an HTTP header may have, which S3
   * stores in lower case, and values of printable US-ASCII.
   */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** What an object is stored with. */
export interface ObjectSettings extends StorageSettings {
  contentType?: string | undefined;
  /** How the object's bytes are encoded: `gzip`, `zstd`. */
  contentEncoding?: string | undefined;
}

/** The settings among the fields of a request, and nothing else. */
export function objectSettingsOf({
  contentType,
  contentEncoding,
  kmsKeyId,
  storageClass,
  tags,
  metadata,
}: ObjectSettings): ObjectSettings {
  return { contentType, contentEncoding, kmsKeyId, storageClass, tags, metadata };
}

/** @throws {SluiceError} `invalid_argument` for what a header cannot have, and what S3 does not take */
export function validateObjectSettings(settings: ObjectSettings): void {
  checkHeaderValue('content type', settings.contentType);
  checkHeaderValue('content encoding', settings.contentEncoding);
  checkHeaderValue('KMS key', settings.kmsKeyId);
  checkHeaderValue('storage class', settings.storageClass);
  validateTags(settings.tags);
  validateMetadata(settings.metadata);
}

/** Of PutObject and CreateMultipartUpload. */
export function settingsHeaders({
  contentType,
  contentEncoding,
  kmsKeyId,
  storageClass,
  tags,
  metadata,
}: ObjectSettings): Record<string, string> {
  const tagging = taggingOf(tags);
  return {
    ...metadataHeaders(metadata),
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...(contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding }),
    ...(kmsKeyId === undefined
      ? {}
      : {
          'x-amz-server-side-encryption': 'aws:kms',
          'x-amz-server-side-encryption-aws-kms-key-id': kmsKeyId,
        }),
    ...(storageClass === undefined ? {} : { 'x-amz-storage-class': storageClass }),
    ...(tagging === undefined ? {} : { 'x-amz-tagging': tagging }),
  };
}

function checkHeaderValue(name: string, value: string | undefined): void {
  if (value === undefined) return;
  if (!/^[!-~](?:[ -~]{0,2046}[!-~])?$/.test(value)) {
    throw new SluiceError('invalid_argument', `invalid ${name}: ${JSON.stringify(value.slice(0, 80))}`, {
      detail: 'It is empty, too long, or has characters other than printable ASCII.',
    });
  }
}
