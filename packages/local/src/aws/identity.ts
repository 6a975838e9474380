import type * as protocol from 'sluice/aws-protocol';
import type { NamedPolicy } from './iam/policy/evaluate.ts';
import type { RequestPrincipal } from './iam/policy/request-principal.ts';

/** A list of values makes a key multivalued, as `aws:TagKeys` is. Keys without a value are absent. */
export type ConditionKeys = ReadonlyMap<string, string | readonly string[]>;

/** An access key, as the lookup finds it. */
export interface AwsCredentials extends protocol.SigningCredentials {
  /** @default the root user of the account */
  readonly principal?: RequestPrincipal | undefined;
  /** For temporary credentials: the policies given to AssumeRole, which limit the session. */
  readonly sessionPolicies?: readonly NamedPolicy[] | undefined;
  /** Condition keys of every request that is made with this key, e.g. `aws:SourceAccount` of a service. */
  readonly conditions?: ConditionKeys | undefined;
}

export type CredentialLookup = protocol.CredentialLookup<AwsCredentials>;
export type VerifiedSignature = protocol.VerifiedSignature<AwsCredentials>;

/** The principal of a verified request, and the session policies that limit it. */
export interface Caller {
  readonly principal: RequestPrincipal;
  readonly sessionPolicies: readonly NamedPolicy[];
}

/** One question to IAM: may this principal do this action on this resource? */
export interface AuthorizationRequest extends Caller {
  /** @example 's3:PutObject' */
  readonly action: string;
  /** An ARN, or '*' for actions that have no resource. */
  readonly resource: string;
  /** Global and service condition keys with their values, e.g. `s3:prefix`. */
  readonly conditions: ConditionKeys;
  /** Of the role that is to be assumed. */
  readonly trustPolicy?: NamedPolicy | undefined;
}

export interface AuthorizationDecision {
  readonly allowed: boolean;
  /**
   * The reason for a denial, as the end of AWS's message.
   * @example 'with an explicit deny in an identity-based policy'
   * @default 'because no identity-based policy allows the <action> action'
   */
  readonly because?: string | undefined;
}

/** Decides every action of every service. */
export type Authorize = (
  request: AuthorizationRequest,
) => AuthorizationDecision | Promise<AuthorizationDecision>;

/** What a service asks about every request: to whom does the key belong, and what may they do? */
export interface Identity {
  readonly accountId: string;
  readonly credentials: CredentialLookup;
  readonly authorize: Authorize;
}
