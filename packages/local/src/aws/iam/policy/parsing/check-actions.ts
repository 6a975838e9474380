import { refuse } from '../malformed-policy-error.ts';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html */
export function checkAction(action: string): void {
  if (action === '*') return;
  const [vendor = '', name, ...rest] = action.split(':');
  if (name === undefined) {
    refuse('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.');
  }
  if (rest.length > 0) refuse('Actions/Condition can contain only one colon.');
  if (vendor !== '*' && /[^A-Za-z0-9.-]/.test(vendor)) refuse(`Vendor ${vendor} is not valid`);
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html */
const TRUST_ACTIONS = new Set(
  [
    'sts:AssumeRole',
    'sts:AssumeRoleWithSAML',
    'sts:AssumeRoleWithWebIdentity',
    'sts:DecodeAuthorizationMessage',
    'sts:GetAccessKeyInfo',
    'sts:GetCallerIdentity',
    'sts:GetFederationToken',
    'sts:GetServiceBearerToken',
    'sts:GetSessionToken',
    'sts:SetContext',
    'sts:SetSourceIdentity',
    'sts:TagSession',
  ].map((action) => action.toLowerCase()),
);

/** A trust policy names actions of STS in full; it can't have wildcards or NotAction. */
export function checkTrustActions(actions: { negated: boolean; values: readonly string[] }): void {
  if (actions.negated || actions.values.some((action) => !TRUST_ACTIONS.has(action.toLowerCase()))) {
    refuse(
      'Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML,  and sts:AssumeRoleWithWebIdentity',
    );
  }
}
