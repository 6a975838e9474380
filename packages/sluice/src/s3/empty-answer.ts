/**
 * An answer of 200 that does not say what was made, or what is there, is none: the request is sent again. S3 begins to answer
 * CompleteMultipartUpload before it has joined the parts, so this happens.
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

/** S3 answers a deletion with 204 (No Content); anything else that is a success came from something that is not S3. */
export function requireNoContent({ $metadata: { httpStatusCode } }: MetadataBearer): void {
  if (httpStatusCode !== 204) throw emptyAnswer();
}
