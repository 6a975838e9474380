import { InvalidArgumentError } from 'commander';
import { isSluiceError } from '../errors.ts';
import { validateS3Uri } from '../s3/s3-uri.ts';

/**
 * `s3://bucket/path` of a command line. The path is taken as an export takes it: without a leading slash.
 *
 * @param longestSuffix what will be appended to it at most, so that the whole is a key that S3 takes
 */
export function parseS3Uri(uri: string, longestSuffix = ''): { bucket: string; path: string } {
  const [, bucket, rest = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(uri) ?? [];
  if (bucket === undefined) throw new InvalidArgumentError('Expected s3://bucket/path.');
  const path = rest.replace(/^\//, '');
  refuseInvalid(() => validateS3Uri({ bucket, key: `${path}${longestSuffix}` }));
  return { bucket, path };
}

/** Turns our error about an argument into commander's. */
export function refuseInvalid(validate: () => void): void {
  try {
    validate();
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    throw new InvalidArgumentError(`${error.message}. ${error.detail ?? error.hint ?? ''}`);
  }
}
