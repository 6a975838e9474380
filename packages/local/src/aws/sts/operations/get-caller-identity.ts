import { principalName, type RequestPrincipal } from '../../iam/policy/request-principal.ts';
import type { StsOperation } from '../sts-operation.ts';

/**
 * Needs no permission, and no policy can forbid it. On AWS a service can't call it; here it gets its name.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export const getCallerIdentity: StsOperation = {
  name: 'GetCallerIdentity',
  run: ({ principal, accountId }) => [
    ['Arn', principalName(principal)],
    ['UserId', userId(principal)],
    ['Account', 'accountId' in principal ? principal.accountId : accountId],
  ],
};

function userId(principal: RequestPrincipal): string {
  switch (principal.type) {
    case 'root':
      return principal.accountId;
    case 'user':
      return principal.userId;
    case 'role-session':
      return `${principal.roleId}:${principal.sessionName}`;
    case 'service':
    case 'federated':
    case 'anonymous':
      return principalName(principal);
    default:
      return principal satisfies never;
  }
}
