import { readObjectPart } from '../read-object-part.ts';
import type { ObjectOperation } from '../operation.ts';
import { onVersion } from '../permissions.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export const headObject: ObjectOperation = {
  name: 'HeadObject',
  target: 'object',
  route: { method: 'HEAD' },
  permissions: onVersion('s3:GetObject', 's3:GetObjectVersion'),
  async run(call) {
    const { status, headers, range } = await readObjectPart(call);
    return { status, headers: { ...headers, 'content-length': String(range.sizeBytes) } };
  },
};
