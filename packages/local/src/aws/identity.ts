/** Who signed a request, in IAM's words. */
export interface Principal {
  /** @example 'arn:aws:iam::123456789012:user/developer' */
  readonly arn: string;
  readonly accountId: string;
  /** IAM's unique id, shown as the owner of buckets and objects. */
  readonly userId: string;
}

/** One access key, as the lookup finds it. */
export interface AwsCredentials {
  readonly secretAccessKey: string;
  /** Set for temporary credentials: requests must carry this token. */
  readonly sessionToken?: string | undefined;
  /** When temporary credentials end. */
  readonly expiresAt?: Date | undefined;
  /** @default the root user of the account */
  readonly principal?: Principal | undefined;
}

/** Finds the credentials of an access key id; undefined when no such key exists. */
export type CredentialLookup = (
  accessKeyId: string,
) => AwsCredentials | undefined | Promise<AwsCredentials | undefined>;

/** One question to IAM: may this principal do this action on this resource? */
export interface AuthorizationRequest {
  readonly principal: Principal;
  /** @example 's3:PutObject' */
  readonly action: string;
  /** An ARN, or '*' for actions that have no resource. */
  readonly resource: string;
  /** Global and service condition keys with their values, e.g. `s3:prefix`. Keys without a value are absent. */
  readonly conditions: ReadonlyMap<string, string>;
}

export interface AuthorizationDecision {
  readonly allowed: boolean;
  /**
   * Why not, as AWS ends its message.
   * @example 'with an explicit deny in an identity-based policy'
   * @default 'because no identity-based policy allows the <action> action'
   */
  readonly because?: string | undefined;
}

/** Decides every action of every service. */
export type Authorize = (
  request: AuthorizationRequest,
) => AuthorizationDecision | Promise<AuthorizationDecision>;

export const allowEverything: Authorize = () => ({ allowed: true });

export function rootPrincipal(accountId: string): Principal {
  return { arn: `arn:aws:iam::${accountId}:root`, accountId, userId: accountId };
}
