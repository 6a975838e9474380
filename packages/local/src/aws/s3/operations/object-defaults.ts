import { checkVersionId, findObject } from '../find-object.ts';
import type { ObjectOperation } from '../operation.ts';
import { onVersion } from '../permissions.ts';
import { parseTagging } from '../tagging.ts';
import { writeXml } from '../xml/write-xml.ts';
import { aclElements } from './acl-elements.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html */
const getObjectAcl: ObjectOperation = {
  name: 'GetObjectAcl',
  target: 'object',
  route: { method: 'GET', query: ['acl'] },
  permissions: onVersion('s3:GetObjectAcl', 's3:GetObjectVersionAcl'),
  async run(call) {
    checkVersionId(call.request.query.get('versionId'));
    await findObject(call, call.bucket, call.key);
    return { body: writeXml('AccessControlPolicy', aclElements(call.accountId)) };
  },
};

/**
 * The tags of the x-amz-tagging header with which the object was created.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
 */
const getObjectTagging: ObjectOperation = {
  name: 'GetObjectTagging',
  target: 'object',
  route: { method: 'GET', query: ['tagging'] },
  permissions: onVersion('s3:GetObjectTagging', 's3:GetObjectVersionTagging'),
  async run(call) {
    checkVersionId(call.request.query.get('versionId'));
    const object = await findObject(call, call.bucket, call.key);
    const tags = parseTagging(object.tagging ?? '');
    return {
      body: writeXml('Tagging', [
        [
          'TagSet',
          tags.map(([key, value]) => [
            'Tag',
            [
              ['Key', key],
              ['Value', value],
            ],
          ]),
        ],
      ]),
    };
  },
};

/** Settings of objects that clients ask for and that cannot be changed here. */
export const objectDefaults: readonly ObjectOperation[] = [getObjectAcl, getObjectTagging];
