import { uriEncode } from '../aws-protocol/percent-encoding.ts';
import { SluiceError } from '../errors.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html; characters are counted in UTF-16. */
const MOST_TAGS = 10;
const LONGEST_KEY = 128;
const LONGEST_VALUE = 256;
/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_S3Tag.html */
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** @throws {SluiceError} `invalid_argument` for tags that S3 does not take */
export function validateTags(tags: Readonly<Record<string, string>> = {}): void {
  const entries = Object.entries(tags);
  if (entries.length > MOST_TAGS) {
    throw new SluiceError('invalid_argument', `an object cannot have ${entries.length} tags`, {
      detail: `Amazon S3 takes ${MOST_TAGS} at most.`,
    });
  }
  for (const [key, value] of entries) {
    const problem = problemOf(key, value);
    if (problem === undefined) continue;
    throw new SluiceError(
      'invalid_argument',
      `invalid tag: ${JSON.stringify(`${key}=${value}`.slice(0, 80))}`,
      {
        detail: problem,
      },
    );
  }
}

/** The header x-amz-tagging, a query string; undefined without tags. */
export function taggingOf(tags: Readonly<Record<string, string>> = {}): string | undefined {
  const pairs = Object.entries(tags).map(([key, value]) => `${uriEncode(key)}=${uriEncode(value)}`);
  return pairs.length === 0 ? undefined : pairs.join('&');
}

function problemOf(key: string, value: string): string | undefined {
  if (key === '') return 'Its key is empty.';
  if (key.length > LONGEST_KEY) return `Its key is longer than ${LONGEST_KEY} characters.`;
  if (value.length > LONGEST_VALUE) return `Its value is longer than ${LONGEST_VALUE} characters.`;
  if (key.toLowerCase().startsWith('aws:')) return 'Keys that begin with aws: are kept for AWS.';
  if (!ALLOWED.test(key) || !ALLOWED.test(value))
    return 'Tags are made of letters, digits, spaces and _ . : / = + - @.';
  return undefined;
}
