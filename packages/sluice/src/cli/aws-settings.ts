import { SluiceError } from '../errors.ts';
import { baseCredentials, NoBaseCredentialsError } from '../identity/base-credentials.ts';
import {
  loadS3Sdk,
  S3Connection,
  type S3ConnectionOptions,
  type S3CredentialsProvider,
} from '../s3/connection.ts';
import { validateRegion } from '../s3/s3-uri.ts';
import { COMMAND_WORDS } from './command-words.ts';

export interface AwsFlags {
  region?: string;
  endpoint?: string;
  profile?: string;
}

/** A connection to S3 with the settings that the aws command line takes: options, environment, profile. */
export async function connectAsAwsCli(
  { profile, ...flags }: AwsFlags,
  patience: Pick<S3ConnectionOptions, 'connectTimeoutMs' | 'requestTimeoutMs' | 'maxAttempts'> = {},
): Promise<S3Connection> {
  const region = flags.region ?? (await regionOf(profile));
  validateRegion(region);
  const endpoint = flags.endpoint ?? process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
  return new S3Connection({
    region,
    endpoint,
    credentials: credentialsOf({ region, profile }),
    words: COMMAND_WORDS,
    ...patience,
  });
}

function credentialsOf(settings: { region: string; profile: string | undefined }): S3CredentialsProvider {
  const provider = baseCredentials(settings);
  return (options) =>
    provider(options).catch((error: unknown) => {
      // Its own message is the agent's.
      if (!(error instanceof NoBaseCredentialsError)) throw error;
      throw new SluiceError('credentials_unavailable', 'no AWS credentials were found', {
        detail: error.detail,
        hint: hintOf(settings),
        cause: error,
      });
    });
}

function hintOf({ profile }: { profile: string | undefined }): string {
  return profile === undefined
    ? `They are taken from where the aws command line takes them: ${COMMAND_WORDS.checkCredentials}.`
    : `Is there a profile ${JSON.stringify(profile)} (aws configure list-profiles), and does it give credentials?`;
}

export async function regionOf(profile: string | undefined): Promise<string> {
  const { S3Client } = await loadS3Sdk();
  const client = new S3Client(profile === undefined ? {} : { profile });
  try {
    return await client.config.region();
  } catch (error) {
    throw new SluiceError('missing_argument', 'no AWS Region is known', {
      hint: "Give the bucket's Region: --region, AWS_REGION, or region in the profile.",
      cause: error,
    });
  } finally {
    client.destroy();
  }
}
