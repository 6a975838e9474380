import { randomBytes } from 'node:crypto';
import type { AwsRequest } from '../../http/aws-request.ts';
import { checksumAlgorithms, parseChecksumAlgorithm } from '../checksums/checksum-algorithms.ts';
import { readObjectAttributes } from '../object-attributes.ts';
import type { ObjectOperation } from '../operation.ts';
import { S3Error } from '../s3-error.ts';
import type { MultipartUpload } from '../storage/stored-object.ts';
import { writePermissions } from '../permissions.ts';
import { writeXml } from '../xml/write-xml.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export const createMultipartUpload: ObjectOperation = {
  name: 'CreateMultipartUpload',
  target: 'object',
  route: { method: 'POST', query: ['uploads'] },
  permissions: writePermissions,
  run({ request, bucket, key }) {
    const checksum = readChecksum(request);
    const initiated = Date.now();
    const upload: MultipartUpload = {
      // The ids of one key sort by creation time. ListMultipartUploads needs this, because its upload-id marker may be
      // of an upload that has ended.
      uploadId: initiated.toString(16).padStart(12, '0') + randomBytes(42).toString('hex'),
      key,
      initiated,
      ...readObjectAttributes(request),
      ...(checksum && { checksum }),
    };
    bucket.createUpload(upload);
    return {
      headers: {
        ...upload.encryption,
        'x-amz-checksum-algorithm': checksum?.algorithm,
        'x-amz-checksum-type': checksum?.type,
      },
      body: writeXml('InitiateMultipartUploadResult', [
        ['Bucket', bucket.name],
        ['Key', key],
        ['UploadId', upload.uploadId],
      ]),
    };
  },
};

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
function readChecksum(request: AwsRequest): MultipartUpload['checksum'] {
  const algorithmText = request.header('x-amz-checksum-algorithm');
  const typeText = request.header('x-amz-checksum-type')?.toUpperCase();
  if (algorithmText === undefined) {
    if (typeText === undefined) return undefined;
    throw new S3Error(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  const algorithm = parseChecksumAlgorithm(algorithmText);
  if (algorithm === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    );
  }
  const types = checksumAlgorithms[algorithm].multipartTypes;
  const type = typeText === undefined ? types[0] : types.find((candidate) => candidate === typeText);
  if (type === undefined) {
    throw new S3Error(
      'InvalidRequest',
      `The ${typeText} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type };
}
