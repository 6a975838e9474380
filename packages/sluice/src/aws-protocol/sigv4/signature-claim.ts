import { formatAmzDate, parseAmzDate } from './amz-date.ts';
import { SigV4Error } from './sigv4-error.ts';
import type { SignedRequest } from './signed-request.ts';

/** What a request says about its own signature; nothing of it has been verified. */
export interface SignatureClaim {
  readonly from: 'header' | 'presigned';
  readonly accessKeyId: string;
  /** The credential scope's day, `20130524`. */
  readonly scopeDate: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly signedAt: Date;
  /** `20130524T000000Z` */
  readonly amzDate: string;
  /** Presigned URLs only. */
  readonly expiresSeconds?: number;
  readonly sessionToken: string | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** The fields of the Authorization header. */
const FIELDS: ReadonlySet<string> = new Set(['Credential', 'SignedHeaders', 'Signature']);
const LONGEST_EXPIRY_SECONDS = 7 * 24 * 3600;

/**
 * Reads the Authorization header or the query of a presigned URL.
 * @throws SigV4Error when there is none, or when it cannot be read
 */
export function readSignatureClaim(request: SignedRequest): SignatureClaim {
  checkSignedOnce(request);
  const authorization = request.headers.get('authorization');
  if (authorization !== undefined) return readHeader(request, authorization);
  if (request.query.has('X-Amz-Algorithm')) return readQuery(request);
  if (request.query.has('AWSAccessKeyId')) throw unsupportedScheme();
  throw new SigV4Error('anonymous', 'the request is not signed');
}

const QUERY_SIGNATURES = ['X-Amz-Algorithm', 'X-Amz-Signature', 'Signature'];

/** Refuses a request with several signatures: a proxy in front could read another one than we do. */
function checkSignedOnce(request: SignedRequest): void {
  const parameters = request.query.entries
    .filter(([name]) => /^X-Amz-(?!Meta-)/.test(name))
    .map(([name]) => name);
  const isRepeated = new Set(parameters).size !== parameters.length;
  const headers = request.headers.lineCount('authorization');
  const isInQuery = QUERY_SIGNATURES.some((name) => request.query.has(name));
  if (headers > 1 || isRepeated || (headers > 0 && isInQuery)) {
    throw new SigV4Error(
      'several-signatures',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    );
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html */
function readHeader(request: SignedRequest, authorization: string): SignatureClaim {
  const scheme = authorization.split(' ', 1)[0] ?? '';
  if (scheme !== ALGORITHM) throw unsupportedScheme();
  const fields = readFields(authorization.slice(scheme.length));
  const required = (name: string): string => {
    const value = fields.get(name);
    if (value !== undefined && value !== '') return value;
    throw new SigV4Error('malformed-header', `missing ${name} component`);
  };
  const scope = parseCredential(required('Credential'), 'malformed-header');
  const signedAt = readRequestDate(request);
  return {
    from: 'header',
    ...scope,
    signedHeaders: required('SignedHeaders').split(';'),
    signature: required('Signature'),
    signedAt,
    amzDate: formatAmzDate(signedAt),
    sessionToken: request.headers.get('x-amz-security-token'),
  };
}

/**
 * Duplicate and unknown fields are refused: several Authorization headers are joined by commas, so such a field could
 * belong to a second signature.
 */
function readFields(text: string): Map<string, string> {
  const pairs = text.split(',').map((field) => {
    const [name = '', ...value] = field.trim().split('=');
    return [name, value.join('=')] as const;
  });
  const fields = new Map(pairs);
  if (fields.size < pairs.length || [...fields.keys()].some((name) => name !== '' && !FIELDS.has(name))) {
    throw new SigV4Error(
      'malformed-header',
      `it must have ${[...FIELDS].join(', ')}, each of them once, and nothing else`,
    );
  }
  return fields;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
function readQuery(request: SignedRequest): SignatureClaim {
  const required = (name: string): string => {
    const value = request.query.get(name);
    if (value !== undefined && value !== '') return value;
    throw malformedQuery(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  };
  if (required('X-Amz-Algorithm') !== ALGORITHM) {
    throw malformedQuery(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const scope = parseCredential(required('X-Amz-Credential'), 'malformed-query');
  const amzDate = required('X-Amz-Date');
  const signedAt = parseAmzDate(amzDate);
  if (signedAt === undefined) {
    throw malformedQuery("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  return {
    from: 'presigned',
    ...scope,
    signedHeaders: required('X-Amz-SignedHeaders').split(';'),
    signature: required('X-Amz-Signature'),
    signedAt,
    amzDate,
    expiresSeconds: parseExpires(required('X-Amz-Expires')),
    sessionToken: request.query.get('X-Amz-Security-Token') ?? request.headers.get('x-amz-security-token'),
  };
}

function parseCredential(credential: string, failure: 'malformed-header' | 'malformed-query') {
  const parts = credential.split('/');
  // On AWS an access key id has no slash, but S3-compatible stores allow it.
  const [scopeDate = '', region = '', service = '', terminator = ''] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join('/');
  const readable =
    /^\d{8}$/.test(scopeDate) && region !== '' && service !== '' && terminator === 'aws4_request';
  if (accessKeyId === '' || !readable) {
    throw new SigV4Error(
      failure,
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  return { accessKeyId, scopeDate, region, service };
}

function readRequestDate(request: SignedRequest): Date {
  const amzDate = request.headers.get('x-amz-date');
  const httpDate = request.headers.get('date');
  const date =
    amzDate === undefined
      ? httpDate === undefined
        ? undefined
        : parseAnyDate(httpDate)
      : parseAnyDate(amzDate);
  if (date !== undefined) return date;
  throw new SigV4Error('missing-date', 'AWS authentication requires a valid Date or x-amz-date header');
}

function parseAnyDate(text: string): Date | undefined {
  const date = parseAmzDate(text) ?? new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function parseExpires(text: string): number {
  const seconds = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(seconds)) throw malformedQuery('X-Amz-Expires should be a number');
  if (seconds < 0) throw malformedQuery('X-Amz-Expires must be non-negative');
  if (seconds > LONGEST_EXPIRY_SECONDS) {
    throw malformedQuery(
      `X-Amz-Expires must be less than a week (in seconds) that is less than ${LONGEST_EXPIRY_SECONDS}`,
    );
  }
  return seconds;
}

function malformedQuery(message: string): SigV4Error {
  return new SigV4Error('malformed-query', message);
}

function unsupportedScheme(): SigV4Error {
  return new SigV4Error(
    'unsupported-scheme',
    `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
  );
}
