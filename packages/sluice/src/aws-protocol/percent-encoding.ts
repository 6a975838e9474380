import { isUtf8 } from 'node:buffer';

/** A path or query that is not percent-encoded UTF-8. */
export class InvalidUriError extends Error {
  constructor() {
    super('the request URI is not percent-encoded UTF-8');
    this.name = 'InvalidUriError';
  }
}

const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/**
 * Decodes percent-encoding into a string. `raw` is a part of a request line as node:http gives it: one character for
 * each byte. A URL class can't be used: it collapses `/../` and `//`, which S3 keys may contain.
 */
export function percentDecode(raw: string, options: { plusIsSpace?: boolean } = {}): string {
  const source = Buffer.from(raw, 'latin1');
  const decoded = Buffer.allocUnsafe(source.length);
  let length = 0;
  for (let position = 0; position < source.length; position++) {
    let byte = source[position] ?? 0;
    if (byte === PERCENT) {
      const digits = raw.slice(position + 1, position + 3);
      if (!/^[0-9a-f]{2}$/i.test(digits)) throw new InvalidUriError();
      byte = Number.parseInt(digits, 16);
      position += 2;
    } else if (byte === PLUS && options.plusIsSpace === true) {
      byte = SPACE;
    }
    decoded[length++] = byte;
  }
  const text = decoded.subarray(0, length);
  if (!isUtf8(text)) throw new InvalidUriError();
  return text.toString('utf8');
}

/**
 * AWS's UriEncode: every byte but `A-Z a-z 0-9 - . _ ~` becomes %XX with upper-case digits.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** UriEncode for paths: slashes are not encoded. */
export function uriEncodePath(path: string): string {
  return uriEncode(path).replaceAll('%2F', '/');
}
