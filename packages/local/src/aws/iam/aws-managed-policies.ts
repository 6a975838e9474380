import type { ManagedPolicy } from './state/iam-state.ts';

/**
 * The AWS managed policies that are needed here. They exist in every account.
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
export const awsManagedPolicies: readonly ManagedPolicy[] = [
  awsManaged(
    'AdministratorAccess',
    'ANPAIWMBCKSKIEE64ZLYK',
    'Provides full access to AWS services and resources.',
    ['*'],
  ),
  awsManaged('AmazonS3FullAccess', 'ANPAIFIR6V6BVTRAHWINE', 'Provides full access to all buckets.', [
    's3:*',
    's3-object-lambda:*',
  ]),
  awsManaged('AmazonS3ReadOnlyAccess', 'ANPAIZTJ4DXE7G6AGAE6M', 'Provides read only access to all buckets.', [
    's3:Get*',
    's3:List*',
    's3:Describe*',
    's3-object-lambda:Get*',
    's3-object-lambda:List*',
  ]),
  awsManaged('IAMFullAccess', 'ANPAI7XKCFMBPM3QQRRVQ', 'Provides full access to IAM.', ['iam:*']),
];

function awsManaged(
  name: string,
  id: string,
  description: string,
  actions: readonly string[],
): ManagedPolicy {
  const document = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions.length === 1 ? actions[0] : actions, Resource: '*' }],
  };
  const createDate = '2015-02-06T18:40:58Z';
  return {
    name,
    id,
    description,
    path: '/',
    arn: awsManagedArn(name),
    createDate,
    updateDate: createDate,
    defaultVersionId: 'v1',
    versions: [{ versionId: 'v1', document: JSON.stringify(document, undefined, 4), createDate }],
    nextVersion: 2,
    tags: [],
  };
}

export function awsManagedArn(name: string): string {
  return `arn:aws:iam::aws:policy/${name}`;
}
