import { SluiceError } from '../errors.ts';

/** Of all names, without their prefix, and values. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MOST_BYTES = 2_048;
const PREFIX = 'x-amz-meta-';
/** A token, as names of headers are. https://www.rfc-editor.org/rfc/rfc9110#name-tokens */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** S3 takes others as well, but gives them back in an encoding for mail that few readers know; spaces at the ends are lost. */
const VALUE = /^[!-~](?:[ -~]*[!-~])?$/;

/** @throws {SluiceError} `invalid_argument` for metadata that S3 would refuse, or change */
export function validateMetadata(metadata: Readonly<Record<string, string>> = {}): void {
  const names = new Set<string>();
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    const problem = problemOf(name, value) ?? (names.has(name.toLowerCase()) ? TWICE : undefined);
    if (problem !== undefined) {
      throw new SluiceError(
        'invalid_argument',
        `invalid metadata: ${JSON.stringify(`${name}=${value}`.slice(0, 80))}`,
        { detail: problem },
      );
    }
    names.add(name.toLowerCase());
    bytes += name.length + value.length;
  }
  if (bytes > MOST_BYTES) {
    throw new SluiceError('invalid_argument', `an object cannot have ${bytes} bytes of metadata`, {
      detail: `Amazon S3 takes names and values of ${MOST_BYTES} bytes in all.`,
    });
  }
}

export function metadataHeaders(metadata: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [`${PREFIX}${name.toLowerCase()}`, value]),
  );
}

const TWICE = 'The name is given twice: Amazon S3 stores names in lower case.';

function problemOf(name: string, value: string): string | undefined {
  if (name === '') return 'Its name is empty.';
  if (!NAME.test(name))
    return 'A name has the characters of an HTTP header: letters, digits, - and the like, no spaces.';
  if (value === '') return 'Its value is empty.';
  if (!VALUE.test(value))
    return 'A value is printable US-ASCII, without spaces at its ends: encode what has other characters, in base64 for example.';
  return undefined;
}
