import process from 'node:process';
import type { LocalStack } from '../stack/start-local.ts';

/** The one line that other programs read: what `--json` prints. */
export function readyLine({ cluster, postgres, aws }: LocalStack): string {
  const { host, port, user, database, url } = postgres;
  const ready = { pid: process.pid, cluster, postgres: { host, port, user, database, url }, aws };
  return `${JSON.stringify(ready)}\n`;
}

/** What a person types next. */
export function nextSteps({ postgres, aws, directory }: LocalStack): string {
  return `
Ready. State and logs are in ${directory}

In another terminal, for the aws command line:

  export AWS_ENDPOINT_URL=${aws.endpoint}
  export AWS_ACCESS_KEY_ID=${aws.accessKeyId}
  export AWS_SECRET_ACCESS_KEY=${aws.secretAccessKey}
  export AWS_DEFAULT_REGION=${aws.region}
  aws s3 mb s3://sample-bucket

and to export a query's result:

  psql '${postgres.url}'

  SELECT * FROM aws_s3.query_export_to_s3('SELECT 1 AS one', 'sample-bucket', 'hello', '${aws.region}');

Ctrl-C stops everything.
`;
}
