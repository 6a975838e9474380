import { awsManagedPolicies } from './aws-managed-policies.ts';
import { IamError } from './iam-error.ts';
import type { IamView } from './state/iam-store.ts';
import type { IamState, ManagedPolicy, PolicyVersion } from './state/iam-state.ts';

export type PolicyView = IamView['policies'][number];

/** A policy of the account or an AWS managed policy; undefined when there is none. */
export function lookUpPolicy(state: IamView, arn: string): PolicyView | undefined {
  return [...state.policies, ...awsManagedPolicies].find((policy) => policy.arn === arn);
}

/** @throws IamError NoSuchEntity, InvalidInput */
export function findPolicy(state: IamView, arn: string): PolicyView {
  checkPolicyArn(arn);
  const policy = lookUpPolicy(state, arn);
  if (policy === undefined) throw new IamError('NoSuchEntity', `Policy ${arn} was not found.`);
  return policy;
}

/** Finds a policy in order to change it. @throws IamError NoSuchEntity, InvalidInput, AccessDenied */
export function findOwnPolicy(state: IamState, arn: string): ManagedPolicy {
  checkPolicyArn(arn);
  if (awsManagedPolicies.some((policy) => policy.arn === arn)) {
    throw new IamError('AccessDenied', 'Policy is outside your own account.');
  }
  const policy = state.policies.find((candidate) => candidate.arn === arn);
  if (policy === undefined) throw new IamError('NoSuchEntity', `Policy ${arn} was not found.`);
  return policy;
}

/** Finds a policy in order to attach it, or to make it a boundary. @throws IamError NoSuchEntity, InvalidInput */
export function findAttachablePolicy(state: IamView, arn: string): PolicyView {
  checkPolicyArn(arn);
  const policy = lookUpPolicy(state, arn);
  if (policy !== undefined) return policy;
  throw new IamError('NoSuchEntity', `Policy ${arn} does not exist or is not attachable.`);
}

/** @throws IamError NoSuchEntity */
export function findVersion(policy: PolicyView, versionId: string): Readonly<PolicyVersion> {
  const version = policy.versions.find((candidate) => candidate.versionId === versionId);
  if (version !== undefined) return version;
  throw new IamError(
    'NoSuchEntity',
    `Policy ${policy.arn} version ${versionId} does not exist or is not attachable.`,
  );
}

export function defaultDocument(policy: PolicyView): string {
  return findVersion(policy, policy.defaultVersionId).document;
}

function checkPolicyArn(arn: string): void {
  if (/^arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy\/.+$/.test(arn)) return;
  throw new IamError('InvalidInput', `ARN ${arn} is not valid.`);
}
