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

/** What a request asks for, and of which object. */
export interface AwsRequest {
  operation: AwsOperation;
  /** Of ListMultipartUploads, the prefix; of AssumeRole, the name of the session; else the key. */
  subject: string;
}

/** @param body of an STS request, which has everything in its form */
export function readAwsRequest({ method, url }: IncomingMessage, body: string): AwsRequest {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://localhost');
  // The harness's keys are of characters that need no encoding but the slash.
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
