import process from 'node:process';
import type { LocalStack } from '../stack/start-local.ts';

/** The line that `--json` prints, for other programs. */
export function readyLine({ cluster, postgres, aws }: LocalStack): string {
  const ready = { pid: process.pid, cluster, postgres, aws };
  return `${JSON.stringify(ready)}\n`;
}

const TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'rds.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
      Resource: 'arn:aws:s3:::sample-bucket/*',
    },
  ],
};

/** The commands that a person can type next. */
export function nextSteps({ cluster, postgres, aws, directory }: LocalStack): string {
  return `
Ready. State and logs are in ${directory}

In another terminal, for the aws command line:

  export AWS_ENDPOINT_URL=${aws.endpoint}
  export AWS_ACCESS_KEY_ID=${aws.accessKeyId}
  export AWS_SECRET_ACCESS_KEY=${aws.secretAccessKey}
  export AWS_DEFAULT_REGION=${aws.region}
  aws s3 mb s3://sample-bucket

(An aws before 2.13 does not read AWS_ENDPOINT_URL: alias aws='aws --endpoint-url "$AWS_ENDPOINT_URL"')

An export needs a role that may write to the bucket, as in Aurora's guide:

  aws iam create-role --role-name export --assume-role-policy-document '${JSON.stringify(TRUST)}'
  aws iam put-role-policy --role-name export --policy-name export --policy-document '${JSON.stringify(POLICY)}'
  aws rds add-role-to-db-cluster --db-cluster-identifier ${cluster} --feature-name s3Export --role-arn arn:aws:iam::000000000000:role/export

Then, to export a query's result:

  psql '${postgres.url}'

  SELECT * FROM aws_s3.query_export_to_s3('SELECT 1 AS one', 'sample-bucket', 'hello', '${aws.region}');

Ctrl-C stops everything.
`;
}
