import { awsManagedPolicies } from '../aws-managed-policies.ts';
import { listElement } from '../elements/common-elements.ts';
import { listedPolicyElements } from '../elements/policy-elements.ts';
import type { PolicyView } from '../find-policy.ts';
import type { IamOperation } from '../iam-operation.ts';
import { cutPage } from '../page.ts';
import { readPathPrefix } from '../parameters.ts';
import type { IamView } from '../state/iam-store.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html */
export const listPolicies: IamOperation = {
  name: 'ListPolicies',
  resource: ({ form }) => `policy path ${readPathPrefix(form)}`,
  run({ form, store: { state } }) {
    const scope = form.optional('Scope', { pattern: /^(?:All|AWS|Local)$/ }) ?? 'All';
    const onlyAttached = form.boolean('OnlyAttached');
    const usage = form.optional('PolicyUsageFilter', {
      pattern: /^(?:PermissionsPolicy|PermissionsBoundary)$/,
    });
    const listed = [
      ...(scope === 'AWS' ? [] : state.policies),
      ...(scope === 'Local' ? [] : awsManagedPolicies),
    ].filter(
      (policy) =>
        policy.path.startsWith(readPathPrefix(form)) &&
        (!onlyAttached || isUsed(policy, state, 'PermissionsPolicy')) &&
        (usage === undefined || isUsed(policy, state, usage)),
    );
    const page = cutPage(form, listed, ({ arn }) => arn);
    return [
      listElement('Policies', page.items, (policy) => listedPolicyElements(policy, state)),
      ...page.elements,
    ];
  },
};

function isUsed({ arn }: PolicyView, { users, roles }: IamView, as: string): boolean {
  return [...users, ...roles].some(({ attachedPolicies, permissionsBoundary }) =>
    as === 'PermissionsBoundary' ? permissionsBoundary === arn : attachedPolicies.includes(arn),
  );
}
