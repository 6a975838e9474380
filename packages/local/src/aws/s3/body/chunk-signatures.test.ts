import { createHash } from 'node:crypto';
import { QueryParameters, readSignatureClaim, RequestHeaders, verifySignature } from 'sluice/aws-protocol';
import { expect, it } from 'vitest';
import { ChunkSignatures } from './chunk-signatures.ts';

// The example of https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html.
it("AWS's example of chunk signatures: each covers the one before", async () => {
  const payloadHash = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
  const headers = {
    'content-encoding': 'aws-chunked',
    'content-length': '66824',
    host: 's3.amazonaws.com',
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': '20130524T000000Z',
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  };
  const request = {
    method: 'PUT',
    path: '/examplebucket/chunkObject.txt',
    query: new QueryParameters(''),
    headers: new RequestHeaders(Object.entries(headers).flat()),
  };
  const verified = await verifySignature(request, readSignatureClaim(request), {
    credentials: () => ({ secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }),
    payloadHash,
    now: new Date('2013-05-24T00:00:00Z'),
  });
  const chunks = new ChunkSignatures(verified);
  const sha256 = (size: number) => createHash('sha256').update('a'.repeat(size)).digest('hex');
  chunks.checkChunk('ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648', sha256(65_536));
  chunks.checkChunk('0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497', sha256(1024));
  expect(() => chunks.checkChunk('0'.repeat(64), sha256(0))).toThrow('chunk signature');
  chunks.checkChunk('b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9', sha256(0));
});
