import { staticCredentials } from '../../agent/s3-connections.ts';
import type { Config } from '../../config/schema.ts';
import { RoleCredentials } from '../../identity/role-credentials.ts';
import { ownSessionName } from '../../identity/session-name.ts';
import type { S3Credentials } from '../../s3/connection.ts';
import type { Finding } from '../walk.ts';
import type { BaseCredentials } from './base-credentials.ts';
import type { ExportRole } from './role.ts';

/** The credentials with which the checks of the bucket upload: the same as an export's. */
export interface UploadCredentials {
  credentials: S3Credentials;
  roleArn: string | undefined;
}

/** Checks that the agent's own credentials can assume the role. */
export async function checkAssume(
  config: Config,
  { sts }: BaseCredentials,
  { roleArn }: ExportRole,
  { signal }: { signal: AbortSignal },
): Promise<Finding<UploadCredentials>> {
  const keys = staticCredentials(config);
  if (keys !== undefined) {
    return {
      status: 'skipped',
      found: 'not needed: [s3] has a key',
      value: { credentials: keys, roleArn: undefined },
    };
  }
  if (sts === undefined || roleArn === undefined)
    return { status: 'failed', found: 'there is no role to assume' };
  const sessions = new RoleCredentials({
    sts,
    durationMs: config.aws.role_session_duration,
    externalId: config.aws.external_id,
  });
  try {
    const sessionName = ownSessionName(config.cluster.identifier, 'doctor');
    const credentials = await sessions.get({ roleArn, sessionName }, { signal });
    return {
      status: 'ok',
      found: `${roleArn} was assumed, until ${credentials.expiration.toISOString()}`,
      value: { credentials, roleArn },
    };
  } finally {
    sessions.close();
  }
}
