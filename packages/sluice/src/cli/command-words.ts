import { failureMessage, type ErrorWords } from '../s3/error-words.ts';

/** Errors of S3 for those who type a command that takes --region, --endpoint, --profile, and credentials as `aws` does. */
export const COMMAND_WORDS: ErrorWords = {
  failure: failureMessage,
  region: '--region',
  thisRegion: (region) => `--region ${region}`,
  endpoint: '--endpoint (or AWS_ENDPOINT_URL_S3)',
  ca: 'the authorities in NODE_EXTRA_CA_CERTS',
  identity: 'The identity of these AWS credentials',
  checkCredentials:
    'check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with temporary ones AWS_SESSION_TOKEN, too), or the profile that --profile or AWS_PROFILE names',
  renewCredentials:
    'set new ones in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), or renew those of the profile (such as by aws sso login)',
};
