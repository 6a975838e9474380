import { uriEncode, type XmlElement } from 'sluice/aws-protocol';
import type { PolicyView } from '../find-policy.ts';
import type { PolicyVersion } from '../state/iam-state.ts';
import type { IamView } from '../state/iam-store.ts';
import { tagElements } from './common-elements.ts';

/** A policy in lists. https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html */
export function listedPolicyElements(policy: PolicyView, state: IamView): XmlElement[] {
  const identities = [...state.users, ...state.roles];
  const attached = identities.filter(({ attachedPolicies }) => attachedPolicies.includes(policy.arn));
  const bounded = identities.filter(({ permissionsBoundary }) => permissionsBoundary === policy.arn);
  return [
    ['PolicyName', policy.name],
    ['PolicyId', policy.id],
    ['Arn', policy.arn],
    ['Path', policy.path],
    ['DefaultVersionId', policy.defaultVersionId],
    ['AttachmentCount', attached.length],
    ['PermissionsBoundaryUsageCount', bounded.length],
    ['IsAttachable', true],
    ['CreateDate', policy.createDate],
    ['UpdateDate', policy.updateDate],
  ];
}

/** A policy with all that is known of it. */
export function policyElements(policy: PolicyView, state: IamView): XmlElement[] {
  return [
    ...listedPolicyElements(policy, state),
    ['Description', policy.description],
    ...tagElements(policy.tags),
  ];
}

/** A version without its document. */
export function versionElements(policy: PolicyView, version: Readonly<PolicyVersion>): XmlElement[] {
  return [
    ['VersionId', version.versionId],
    ['IsDefaultVersion', version.versionId === policy.defaultVersionId],
    ['CreateDate', version.createDate],
  ];
}

export function documentElement(name: string, document: string): XmlElement {
  return [name, uriEncode(document)];
}
