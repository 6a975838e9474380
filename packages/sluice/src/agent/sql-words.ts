import type { ErrorWords } from '../s3/error-words.ts';

/** Errors of S3 for those who call aws_s3.query_export_to_s3, and for the operators of the agent. */
export const SQL_WORDS: ErrorWords = {
  // Aurora's words.
  failure: () => 'could not upload to Amazon S3',
  region: 'the region argument',
  thisRegion: (region) => `'${region}' as the region argument`,
  endpoint: 'a configured endpoint',
  ca: 'the configured CA',
  identity: 'The role',
  checkCredentials: 'check where they come from',
  renewCredentials: 'renew their source',
};
