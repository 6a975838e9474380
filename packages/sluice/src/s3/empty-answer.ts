/**
 * An answer with status 200 that lacks what it must contain, such as the ETag, counts as a server error: the request is
 * sent again. It happens, because S3 begins to answer CompleteMultipartUpload before it has joined the parts.
 */
export function emptyAnswer(): Error {
  return Object.assign(new Error('the answer was empty'), {
    name: 'InternalError',
    $metadata: { httpStatusCode: 500 },
  });
}

interface MetadataBearer {
  $metadata: { httpStatusCode?: number | undefined };
}

/** S3 answers a deletion with 204 (No Content). Another success status came from something that is not S3. */
export function requireNoContent({ $metadata: { httpStatusCode } }: MetadataBearer): void {
  if (httpStatusCode !== 204) throw emptyAnswer();
}
