import { readXmlBody } from '../body/read-xml-body.ts';
import { objectArn, type BucketCall, type BucketOperation } from '../operation.ts';
import { listsEtag } from '../preconditions.ts';
import { S3Error, malformedXml } from '../s3-error.ts';
import { writeXml, type XmlElement } from '../xml/write-xml.ts';
import type { XmlNode } from '../xml/read-xml.ts';

/** S3's own limit of the body is 2 MB; a thousand keys of 1,024 bytes, escaped, may be more. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MOST_KEYS = 1000;

/**
 * Permission is checked for each key separately.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export const deleteObjects: BucketOperation = {
  name: 'DeleteObjects',
  target: 'bucket',
  route: { method: 'POST', query: ['delete'] },
  permissions: () => [],
  async run(call) {
    const { root, received } = await readXmlBody(call, 'Delete', MAX_BODY_BYTES);
    if (!received.md5Announced && received.checksum === undefined) {
      throw new S3Error(
        'InvalidRequest',
        'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
      );
    }
    const entries = root?.all('Object') ?? [];
    if (entries.length === 0 || entries.length > MOST_KEYS) throw malformedXml();
    const quiet = root?.textOf('Quiet')?.toLowerCase() === 'true';
    const results: XmlElement[] = [];
    for (const entry of entries) {
      const result = await deleteOne(call, entry);
      if (!quiet || result[0] === 'Error') results.push(result);
    }
    return { body: writeXml('DeleteResult', results) };
  },
};

async function deleteOne(call: BucketCall, entry: XmlNode): Promise<XmlElement> {
  // textOf() would remove white space, which is a part of the key.
  const key = entry.all('Key')[0]?.text ?? '';
  if (key === '') throw malformedXml();
  const versionId = entry.textOf('VersionId');
  const failure = (code: string, message: string): XmlElement => [
    'Error',
    [
      ['Key', key],
      ['VersionId', versionId],
      ['Code', code],
      ['Message', message],
    ],
  ];
  const action = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
  const denial = await call.denial({ action, resource: objectArn(call.bucketName, key) });
  if (denial !== undefined) return failure(denial.code, denial.message);
  if (versionId !== undefined && versionId !== 'null') {
    return failure('NoSuchVersion', 'The specified version does not exist.');
  }
  const expected = entry.textOf('ETag');
  if (expected !== undefined) {
    const object = call.bucket.objects.get(key);
    if (object === undefined) return failure('NoSuchKey', 'The specified key does not exist.');
    if (!listsEtag(expected, object.etag)) {
      return failure('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
    }
  }
  call.bucket.deleteObject(key);
  return [
    'Deleted',
    [
      ['Key', key],
      ['VersionId', versionId],
    ],
  ];
}
