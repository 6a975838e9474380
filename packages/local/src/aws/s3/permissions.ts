import { onObject, type ObjectCall, type Permission } from './operation.ts';

/**
 * What a new object needs: to be put, and its tags and ACL when the request brings them.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
export function writePermissions(call: ObjectCall): Permission[] {
  const { request } = call;
  const setsAcl = request.headers
    .names()
    .some((name) => name === 'x-amz-acl' || name.startsWith('x-amz-grant-'));
  return [
    ...onObject('s3:PutObject')(call),
    ...(request.header('x-amz-tagging') === undefined ? [] : onObject('s3:PutObjectTagging')(call)),
    ...(setsAcl ? onObject('s3:PutObjectAcl')(call) : []),
  ];
}

/** Reading a version that is named has an action of its own. */
export function onVersion(action: string, versionAction: string): (call: ObjectCall) => Permission[] {
  return (call) => onObject(call.request.query.has('versionId') ? versionAction : action)(call);
}
