import type { XmlElement } from 'sluice/aws-protocol';
import { assumedRoleArn, iamArn } from '../../iam/names.ts';
import { readTags } from '../../iam/parameters.ts';
import { accessDeniedMessage, denialReason } from '../../iam/policy/access-denied.ts';
import type { IamView } from '../../iam/state/iam-store.ts';
import { trustPolicyOf } from '../../iam/trust-policy.ts';
import type { ConditionKeys } from '../../identity.ts';
import { issueCredentials } from '../issue-credentials.ts';
import { readRoleDuration } from '../session-duration.ts';
import { packedPolicyPercent, readSessionPolicies } from '../session-policies.ts';
import { StsError } from '../sts-error.ts';
import type { StsCall, StsOperation } from '../sts-operation.ts';

type RoleView = IamView['roles'][number];

const UNTRUSTED = denialReason('sts:AssumeRole', { decision: 'implicitDeny', policyType: 'trust' });

/**
 * The role's trust policy must allow the caller. If it allows only the caller's account, the caller's own policies must
 * allow AssumeRole, too.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export const assumeRole: StsOperation = {
  name: 'AssumeRole',
  async run(call) {
    const request = readRequest(call);
    if (call.principal.type === 'root') {
      throw new StsError('AccessDenied', 'Roles may not be assumed by root accounts.');
    }
    const role = call.store.state.roles.find(
      (known) => iamArn(call.accountId, 'role', known) === request.roleArn,
    );
    // A role that does not exist gives the same error as one that may not be assumed.
    if (role === undefined) throw denied(call, 'sts:AssumeRole', request.roleArn, UNTRUSTED);
    for (const action of request.actions) await demand(call, request, role, action);

    const durationSeconds = readRoleDuration(call, role);
    const limits = readSessionPolicies(call);
    const percent = packedPolicyPercent(limits, request.tags);
    const { sessionName, tags, sourceIdentity } = request;
    const session = {
      of: { type: 'role', id: role.id, sessionName } as const,
      ...limits,
      tags,
      ...(sourceIdentity !== undefined && { sourceIdentity }),
    };
    return [
      issueCredentials(session, { durationSeconds, tokenKey: call.store.state.tokenKey }),
      assumedRoleUser(call.accountId, role, sessionName),
      ['PackedPolicySize', percent],
      ['SourceIdentity', sourceIdentity],
    ];
  },
};

interface AssumeRoleRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly sourceIdentity: string | undefined;
  /** The actions that the trust policy must allow. */
  readonly actions: readonly string[];
  readonly conditions: ConditionKeys;
}

function readRequest({ form, conditions: common }: StsCall): AssumeRoleRequest {
  const name = /^[\w+=,.@-]*$/;
  const roleArn = form.required('RoleArn', { min: 20, max: 2048 });
  const sessionName = form.required('RoleSessionName', { min: 2, max: 64, pattern: name });
  const externalId = form.optional('ExternalId', { min: 2, max: 1224, pattern: /^[\w+=,.@:/-]*$/ });
  const sourceIdentity = form.optional('SourceIdentity', { min: 2, max: 64, pattern: name });
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(roleArn)) {
    throw new StsError('ValidationError', `${roleArn} is invalid`);
  }
  const tags = readTags(form);
  const transitiveTagKeys = form.list('TransitiveTagKeys');
  const conditions = new Map([...common, ['sts:RoleSessionName', sessionName]]);
  if (externalId !== undefined) conditions.set('sts:ExternalId', externalId);
  if (sourceIdentity !== undefined) conditions.set('sts:SourceIdentity', sourceIdentity);
  for (const { key, value } of tags) conditions.set(`aws:RequestTag/${key}`, value);
  if (tags.length > 0) {
    conditions.set(
      'aws:TagKeys',
      tags.map(({ key }) => key),
    );
  }
  if (transitiveTagKeys.length > 0) conditions.set('sts:TransitiveTagKeys', transitiveTagKeys);
  // The source identity of a session is inherited by the sessions that it begins.
  const inherited = common.get('aws:SourceIdentity');
  return {
    roleArn,
    sessionName,
    tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
    sourceIdentity: sourceIdentity ?? (typeof inherited === 'string' ? inherited : undefined),
    actions: [
      'sts:AssumeRole',
      ...(tags.length > 0 ? ['sts:TagSession'] : []),
      ...(sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
    ],
    conditions,
  };
}

/** @throws StsError AccessDenied */
async function demand(
  call: StsCall,
  { roleArn, conditions }: AssumeRoleRequest,
  role: RoleView,
  action: string,
): Promise<void> {
  const trustPolicy = { name: `trust policy of ${role.name}`, policy: trustPolicyOf(role) };
  const keys = new Map([
    ...conditions,
    ...role.tags.map(({ key, value }) => [`aws:ResourceTag/${key}`, value] as const),
  ]);
  const decision = await call.authorize({ action, resource: roleArn, conditions: keys, trustPolicy });
  if (!decision.allowed) throw denied(call, action, roleArn, decision.because);
}

function denied({ principal }: StsCall, action: string, resource: string, because?: string): StsError {
  return new StsError('AccessDenied', accessDeniedMessage({ principal, action, resource }, because));
}

function assumedRoleUser(accountId: string, role: RoleView, sessionName: string): XmlElement {
  return [
    'AssumedRoleUser',
    [
      ['AssumedRoleId', `${role.id}:${sessionName}`],
      ['Arn', assumedRoleArn(accountId, role.name, sessionName)],
    ],
  ];
}
