import { uriEncodePath } from '../aws-protocol/percent-encoding.ts';
import { SluiceError } from '../errors.ts';

/** S3's limit on a key, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

/** `_part99999`: what the exporter may append to a key. */
const LONGEST_PART_SUFFIX_BYTES = 10;

/** The object that an export stores. */
export interface S3Uri {
  bucket: string;
  key: string;
}

/**
 * Refuses buckets and keys that S3 would not accept, before anything is sent. Both come from SQL, from any role that
 * may call the function.
 *
 * @throws {SluiceError} `invalid_argument`
 */
export function validateS3Uri({ bucket, key }: S3Uri): void {
  const bucketProblem = findBucketProblem(bucket);
  if (bucketProblem !== undefined) {
    throw new SluiceError('invalid_argument', `invalid Amazon S3 bucket name: ${quote(bucket)}`, {
      detail: bucketProblem,
      hint: 'Give the name of a general purpose bucket, without a path, an ARN or a scheme.',
    });
  }
  const keyProblem = findKeyProblem(key);
  if (keyProblem !== undefined) {
    throw new SluiceError('invalid_argument', 'invalid Amazon S3 file path', { detail: keyProblem });
  }
}

/**
 * @throws {SluiceError} `invalid_argument` for what cannot be a region: a region becomes a part of a host name.
 */
export function validateRegion(region: string): void {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(region)) {
    throw new SluiceError('invalid_argument', `invalid AWS Region: ${quote(region)}`, {
      hint: 'Give the code of the Region that the bucket is in, such as us-west-2.',
    });
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function findBucketProblem(bucket: string): string | undefined {
  if (bucket === '') return 'The bucket name is empty.';
  if (bucket.startsWith('arn:')) return 'An ARN is not accepted as a bucket name.';
  if (bucket.includes('/')) return 'A bucket name has no slash; what follows it belongs to the file path.';
  if (bucket.length < 3 || bucket.length > 63) return 'A bucket name has 3 to 63 characters.';
  if (!/^[a-z0-9.-]+$/.test(bucket)) {
    return 'A bucket name consists of lowercase letters, digits, dots and hyphens.';
  }
  if (!/^[a-z0-9].*[a-z0-9]$/.test(bucket)) return 'A bucket name begins and ends with a letter or a digit.';
  if (bucket.includes('..')) return 'A bucket name has no two dots in a row.';
  if (/^\d+\.\d+\.\d+\.\d+$/.test(bucket)) return 'A bucket name is not an IP address.';
  if (bucket.endsWith('--x-s3')) return 'A directory bucket (S3 Express One Zone) is not supported.';
  return undefined;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
function findKeyProblem(key: string): string | undefined {
  if (key === '') return 'The file path is empty.';
  if (/\p{Surrogate}/u.test(key)) return 'The file path is not valid Unicode text.';
  if (key.includes('\0')) return 'The file path contains a NUL character.';
  const maxBytes = MAX_KEY_BYTES - LONGEST_PART_SUFFIX_BYTES;
  const bytes = Buffer.byteLength(key);
  if (bytes > maxBytes) {
    return `The file path is ${bytes} bytes long; ${maxBytes} are possible, since Amazon S3 takes ${MAX_KEY_BYTES} and a suffix such as _part2 may follow.`;
  }
  return undefined;
}

/**
 * A key as a part of a request path: all bytes are escaped except the slash and RFC 3986's unreserved characters. Empty
 * segments, `.` and `..` stay, so the path must not be passed to a URL class, which would resolve them.
 */
export function encodeKey(key: string): string {
  return uriEncodePath(key);
}

/** For messages: in quotes and escaped, so that no control character reaches a terminal or a log. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
