import { SluiceError } from '../errors.ts';
import type { S3Credentials, S3CredentialsProvider } from '../s3/connection.ts';

export interface BaseCredentialsOptions {
  region: string;
  /** Static keys. @default AWS's chain */
  keys?: S3Credentials | undefined;
  /** The profile of the shared AWS configuration files that the chain uses. */
  profile?: string | undefined;
}

/**
 * The agent's own credentials, with which it assumes the role: the keys of the configuration, or else those of AWS's
 * chain (environment, profile, SSO, web identity, container and instance metadata).
 */
export function baseCredentials({ region, keys, profile }: BaseCredentialsOptions): S3CredentialsProvider {
  if (keys !== undefined) return () => Promise.resolve(keys);
  let chain: S3CredentialsProvider | undefined;
  return async (options) => {
    const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
    chain ??= fromNodeProviderChain({
      clientConfig: { region },
      ...(profile === undefined ? {} : { profile }),
    });
    try {
      return await chain(options);
    } catch (error) {
      throw new NoBaseCredentialsError(error);
    }
  };
}

/** The agent has no credentials of its own, so it can't assume a role. */
export class NoBaseCredentialsError extends SluiceError {
  constructor(cause: unknown) {
    super('credentials_unavailable', 'the agent has no AWS credentials of its own', {
      cause,
      detail: cause instanceof Error ? cause.message : String(cause),
    });
  }
}
