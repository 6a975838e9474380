import { openSts } from '../../agent/open-roles.ts';
import { staticCredentials } from '../../agent/s3-connections.ts';
import type { Config } from '../../config/schema.ts';
import {
  AssumeRoleError,
  describeStsFailure,
  type AssumeRoleFailure,
} from '../../identity/assume-role-error.ts';
import type { Sts } from '../../identity/sts.ts';
import type { Finding } from '../walk.ts';

/**
 * The failures with which AssumeRole would fail as well. Any other may only mean that this STS has no
 * GetCallerIdentity.
 */
const FATAL: ReadonlySet<AssumeRoleFailure> = new Set<AssumeRoleFailure>([
  'no-base-credentials',
  'unknown-base-credentials',
  'expired-base-credentials',
  'clock-skew',
  'region-disabled',
  'unreachable',
]);

/** The STS client with the agent's own credentials. Undefined when [s3] has a key, so that no role is assumed. */
export interface BaseCredentials {
  sts: Sts | undefined;
}

/** Checks that the agent has its own credentials, to assume the role, or a key to upload with. */
export async function checkBaseCredentials(
  config: Config,
  { signal }: { signal: AbortSignal },
): Promise<Finding<BaseCredentials>> {
  const keys = staticCredentials(config);
  if (keys !== undefined) {
    return {
      status: 'ok',
      found: `exports upload with the key ${keys.accessKeyId} of [s3], without a role`,
      value: { sts: undefined },
    };
  }
  const sts = await openSts(config);
  const { access_key_id: keyId } = config.aws;
  const source = keyId === undefined ? "AWS's chain, as this process finds it" : `the key ${keyId} of [aws]`;
  try {
    const arn = await sts.callerArn({ signal });
    return { status: 'ok', found: `${arn ?? 'known to STS'}, by ${source}`, value: { sts } };
  } catch (error) {
    signal.throwIfAborted();
    const { endpoint } = sts;
    const { failure, hint } = new AssumeRoleError(error, { roleArn: "the cluster's role", endpoint });
    const found = `${describeStsFailure(error, endpoint)}, for ${source}`;
    if (!FATAL.has(failure)) {
      return { status: 'warning', found: `it is not known who the agent is: ${found}`, value: { sts } };
    }
    await sts.close();
    return { status: 'failed', found, mend: hint };
  }
}
