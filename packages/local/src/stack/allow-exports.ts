import { sendQuery } from '../aws/query/send-query.ts';
import { LocalError } from '../errors.ts';

export interface AllowExportsOptions {
  /** @example 'http://127.0.0.1:4566' */
  endpoint: string;
  region: string;
  cluster: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  bucket: string;
}

const ROLE = 'local-export';
const VERSIONS = { iam: '2010-05-08', rds: '2014-10-31' } as const;
const TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'rds.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

/**
 * Does what the guide does by hand: makes a role that may write to the bucket, and associates it with the cluster for
 * s3Export.
 */
export async function allowExports(options: AllowExportsOptions): Promise<void> {
  const { bucket, cluster } = options;
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
        Resource: `arn:aws:s3:::${bucket}/*`,
      },
    ],
  };
  const role = { RoleName: ROLE };
  const created = await call(
    options,
    'iam',
    { Action: 'CreateRole', ...role, AssumeRolePolicyDocument: JSON.stringify(TRUST) },
    'EntityAlreadyExists',
  );
  const roleArn = arnIn(created ?? (await call(options, 'iam', { Action: 'GetRole', ...role })));
  await call(options, 'iam', {
    Action: 'PutRolePolicy',
    ...role,
    PolicyName: `export-to-${bucket}`,
    PolicyDocument: JSON.stringify(policy),
  });
  const of = { DBClusterIdentifier: cluster };
  const clusters = await call(options, 'rds', { Action: 'DescribeDBClusters', ...of });
  if (clusters?.includes(`<RoleArn>${roleArn}</RoleArn>`) === true) return;
  await call(options, 'rds', {
    Action: 'AddRoleToDBCluster',
    ...of,
    FeatureName: 's3Export',
    RoleArn: roleArn,
  });
}

function arnIn(xml: string | undefined): string {
  return /<Arn>([^<]+)<\/Arn>/.exec(xml ?? '')?.[1] ?? '';
}

/** @returns the XML, or undefined for an error that is expected */
async function call(
  { endpoint, region, credentials }: AllowExportsOptions,
  service: keyof typeof VERSIONS,
  parameters: Record<string, string>,
  expectedError?: string,
): Promise<string | undefined> {
  const { hostname: host, port } = new URL(endpoint);
  const { status, xml } = await sendQuery({
    to: { host, port: Number(port) },
    service,
    region,
    credentials,
    parameters: { ...parameters, Version: VERSIONS[service] },
  });
  if (status === 200) return xml;
  const code = /<Code>([^<]+)<\/Code>/.exec(xml)?.[1];
  if (code !== undefined && code === expectedError) return undefined;
  const message = /<Message>([^<]*)<\/Message>/.exec(xml)?.[1];
  throw new LocalError('aws_failed', `${parameters['Action']} failed: ${message ?? `status ${status}`}`);
}
