import { serverDateOf } from './server-date.ts';

/** Why one request failed, sent by the SDK or by ourselves: S3's answer, or that none came. */
export interface S3Failure {
  /** S3's error code, e.g. `AccessDenied`; undefined when S3 gave none. */
  s3Code: string | undefined;
  /** S3's own message. */
  message: string;
  /** Undefined when no answer came. */
  httpStatus: number | undefined;
  requestId: string | undefined;
  /** The Region of the bucket, if S3 named it. */
  bucketRegion: string | undefined;
  /** When S3 answered, by its own clock, in milliseconds since 1970. */
  serverDate: number | undefined;
  /** Why no answer came; undefined when one came. */
  network: NetworkFailure | undefined;
  cause: unknown;
}

export type NetworkFailure =
  /** The host name does not resolve. */
  | 'name-not-found'
  /** Nothing listens at the address, or there is no route to it. */
  | 'refused'
  /** No connection within the time limit. */
  | 'connect-timeout'
  /** Connected, then no byte was sent or received for the time limit. */
  | 'stalled'
  /** The connection broke. */
  | 'reset'
  /** The certificate is not trusted, or the peer does not speak TLS. */
  | 'tls'
  | 'other';

/** Thrown by our own sending. The SDK's timeout errors are recognised by their name. */
export class NetworkTimeoutError extends Error {
  readonly kind: 'connect-timeout' | 'stalled';

  constructor(kind: 'connect-timeout' | 'stalled', timeoutMs: number) {
    super(
      kind === 'stalled'
        ? `the request made no progress for ${timeoutMs} ms`
        : `no connection within ${timeoutMs} ms`,
    );
    this.name = 'NetworkTimeoutError';
    this.kind = kind;
  }
}

/** S3 answered a request of our own sending with an error. */
export class S3ResponseError extends Error {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;

  constructor(status: number, headers: NodeJS.Dict<string | string[]>, body: string) {
    super(`HTTP status ${status}`);
    this.name = 'S3ResponseError';
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** Reads an error of our own sending, of the AWS SDK or of Node's sockets; undefined when it is none of these. */
export function describeFailure(error: unknown): S3Failure | undefined {
  if (error instanceof S3ResponseError) return describeResponse(error);
  const fields = asFields(error);
  const metadata = asFields(fields['$metadata']);
  const status = asNumber(metadata['httpStatusCode']);
  if (status !== undefined) return describeSdkError(error, fields, metadata, status);
  const isNetworkError =
    error instanceof NetworkTimeoutError ||
    asText(fields['code']) !== undefined ||
    asText(fields['name']) === 'TimeoutError';
  if (!isNetworkError) return undefined;
  return {
    s3Code: undefined,
    message: 'Unable to connect to endpoint',
    httpStatus: undefined,
    requestId: undefined,
    bucketRegion: undefined,
    serverDate: undefined,
    network: classifyNetworkError(error, fields),
    cause: error,
  };
}

function describeResponse(error: S3ResponseError): S3Failure {
  const s3Code = readXmlElement(error.body, 'Code');
  return {
    s3Code,
    message: readXmlElement(error.body, 'Message') ?? s3Code ?? error.message,
    httpStatus: error.status,
    requestId: readXmlElement(error.body, 'RequestId') ?? firstOf(error.headers['x-amz-request-id']),
    bucketRegion:
      firstOf(error.headers['x-amz-bucket-region']) ??
      (s3Code === 'AuthorizationHeaderMalformed' ? readXmlElement(error.body, 'Region') : undefined),
    serverDate: serverDateOf(error),
    network: undefined,
    cause: error,
  };
}

function describeSdkError(error: unknown, fields: Fields, metadata: Fields, status: number): S3Failure {
  const response = asFields(fields['$response']);
  const name = asText(fields['name']);
  // For an answer without a body the SDK sets a generic name that says nothing.
  const s3Code = name === 'Unknown' || name === 'UnknownError' || name === 'Error' ? undefined : name;
  const message = asText(fields['message']);
  return {
    s3Code,
    message:
      message === undefined || message === 'UnknownError' ? (s3Code ?? `HTTP status ${status}`) : message,
    httpStatus: status,
    requestId: asText(metadata['requestId']),
    bucketRegion: asText(asFields(response['headers'])['x-amz-bucket-region']) ?? asText(fields['Region']),
    serverDate: serverDateOf(fields['$response']),
    network: undefined,
    cause: error,
  };
}

function classifyNetworkError(error: unknown, fields: Fields): NetworkFailure {
  if (error instanceof NetworkTimeoutError) return error.kind;
  const code = asText(fields['code']) ?? '';
  if (asText(fields['name']) === 'TimeoutError') {
    return /connect/i.test(asText(fields['message']) ?? '') ? 'connect-timeout' : 'stalled';
  }
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'name-not-found';
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return 'refused';
    case 'ETIMEDOUT':
      return 'connect-timeout';
    case 'ECONNRESET':
    case 'ECONNABORTED':
    case 'EPIPE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return 'reset';
    default:
      return /^(?:ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO)/.test(code)
        ? 'tls'
        : 'other';
  }
}

/** The text of the first element of that name. A regular expression is enough: error documents are small and flat. */
function readXmlElement(xml: string, name: string): string | undefined {
  const match = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml);
  const text = match?.[1]?.replace(
    /&(?:lt|gt|amp|quot|apos|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g,
    decodeEntity,
  );
  return text === '' ? undefined : text;
}

function decodeEntity(entity: string, decimal: string | undefined, hexadecimal: string | undefined): string {
  const codePoint = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
  if (codePoint <= 0x10ffff) return String.fromCodePoint(codePoint);
  return { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"', '&apos;': "'" }[entity] ?? entity;
}

type Fields = Readonly<Record<string, unknown>>;

function asFields(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
