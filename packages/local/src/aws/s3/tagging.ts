import { QueryParameters } from 'sluice/aws-protocol';
import { S3Error } from './s3-error.ts';

const MOST_TAGS = 10;

/** Reads the x-amz-tagging header, which is a query string. @throws S3Error InvalidTag */
export function parseTagging(tagging: string): readonly (readonly [key: string, value: string])[] {
  const tags = new QueryParameters(tagging).entries;
  if (new Set(tags.map(([key]) => key)).size !== tags.length) {
    throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key');
  }
  if (tags.length > MOST_TAGS)
    throw new S3Error('InvalidTag', `Object tags cannot be greater than ${MOST_TAGS}`);
  for (const [key, value] of tags) {
    if (key === '' || key.length > 128)
      throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid');
    if (value.length > 256) throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid');
  }
  return tags;
}
