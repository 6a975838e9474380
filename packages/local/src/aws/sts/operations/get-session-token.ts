import type { RequestPrincipal } from '../../iam/policy/request-principal.ts';
import { issueCredentials } from '../issue-credentials.ts';
import { StsError } from '../sts-error.ts';
import type { Session } from '../session-token.ts';
import type { StsOperation } from '../sts-operation.ts';

const DEFAULT_SECONDS = 43_200;
const LONGEST_SECONDS = 129_600;
const LONGEST_OF_ROOT_SECONDS = 3600;

/**
 * Makes temporary keys for the calling user. Needs no permission.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 */
export const getSessionToken: StsOperation = {
  name: 'GetSessionToken',
  run({ form, principal, isSession, minSessionSeconds, store }) {
    const asked = form.integer('DurationSeconds', { min: minSessionSeconds, max: LONGEST_SECONDS });
    const of = sessionOwner(principal);
    if (isSession || of === undefined) {
      throw new StsError('AccessDenied', 'Cannot call GetSessionToken with session credentials');
    }
    const longest = of.type === 'root' ? LONGEST_OF_ROOT_SECONDS : LONGEST_SECONDS;
    const durationSeconds = Math.min(asked ?? DEFAULT_SECONDS, longest);
    const session = { of, policies: [], policyArns: [], tags: {} };
    return [issueCredentials(session, { durationSeconds, tokenKey: store.state.tokenKey })];
  },
};

function sessionOwner(principal: RequestPrincipal): Session['of'] | undefined {
  if (principal.type === 'root') return { type: 'root' };
  return principal.type === 'user' ? { type: 'user', id: principal.userId } : undefined;
}
