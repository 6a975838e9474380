import { onObject, type ObjectCall, type Permission } from './operation.ts';

/**
 * The permissions to store a new object: the object itself, and its tags and ACL if the request contains them.
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

/** The action to check: reading a version by its id needs a separate one. */
export function onVersion(action: string, versionAction: string): (call: ObjectCall) => Permission[] {
  return (call) => onObject(call.request.query.has('versionId') ? versionAction : action)(call);
}
