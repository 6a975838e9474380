import type { IncomingMessage } from 'node:http';

export const S3_OPERATIONS = [
  'PutObject',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'HeadObject',
  'DeleteObject',
  'ListMultipartUploads',
] as const;
export type S3Operation = (typeof S3_OPERATIONS)[number];
export type AwsOperation = S3Operation | 'AssumeRole' | 'other';

/** The operation of a request, and the object that it is about. */
export interface AwsRequest {
  operation: AwsOperation;
  /** For ListMultipartUploads the prefix, for AssumeRole the session name, otherwise the key. */
  subject: string;
}

/** @param body of a request to STS, whose parameters are all in the form */
export function readAwsRequest({ method, url }: IncomingMessage, body: string): AwsRequest {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://localhost');
  // The keys of the harness have no characters that need encoding, except slashes.
  const [, , ...keyParts] = pathname.split('/');
  const key = keyParts.join('/');
  if (pathname === '/' && method === 'POST') {
    const form = new URLSearchParams(body);
    const isAssumeRole = form.get('Action') === 'AssumeRole';
    return { operation: isAssumeRole ? 'AssumeRole' : 'other', subject: form.get('RoleSessionName') ?? '' };
  }
  if (key === '') {
    const isListing = method === 'GET' && searchParams.has('uploads');
    return {
      operation: isListing ? 'ListMultipartUploads' : 'other',
      subject: searchParams.get('prefix') ?? '',
    };
  }
  return { operation: objectOperation(method ?? '', searchParams), subject: key };
}

function objectOperation(method: string, query: URLSearchParams): AwsOperation {
  const isPart = query.has('uploadId');
  switch (method) {
    case 'PUT':
      return isPart ? 'UploadPart' : 'PutObject';
    case 'POST':
      return isPart ? 'CompleteMultipartUpload' : query.has('uploads') ? 'CreateMultipartUpload' : 'other';
    case 'DELETE':
      return isPart ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'HEAD':
      return 'HeadObject';
    default:
      return 'other';
  }
}
