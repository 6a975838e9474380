import { matchesGlob } from '../glob.ts';
import type { PolicyVariables } from '../policy-variables.ts';
import { negated, valueOperator } from './operator.ts';

const ARN_PARTS = 6;

/** Each of the six parts between colons is matched for itself; `*` alone is every ARN. */
function matchesArn(
  requestValue: string,
  policyValue: string,
  variables: PolicyVariables,
): boolean | undefined {
  const values = splitArn(requestValue);
  const patterns = variables.splitArn(policyValue);
  if (values.length < ARN_PARTS) return false;
  if (policyValue === '*') return true;
  if (patterns.length < ARN_PARTS) return false;

  const globs = patterns.map((pattern) => variables.glob(pattern));
  if (globs.includes(undefined)) return undefined;
  return globs.every((glob, index) => glob !== undefined && matchesGlob(glob, values[index] ?? ''));
}

/** What follows the fifth colon is one part, with all its colons. */
export function splitArn(arn: string): string[] {
  const parts = arn.split(':');
  if (parts.length <= ARN_PARTS) return parts;
  return [...parts.slice(0, ARN_PARTS - 1), parts.slice(ARN_PARTS - 1).join(':')];
}

/** ArnEquals and ArnLike are the same. */
export const arnLike = valueOperator('ArnLike', matchesArn);
export const arnEquals = valueOperator('ArnEquals', matchesArn);

export const arnNotLike = negated('ArnNotLike', arnLike);
export const arnNotEquals = negated('ArnNotEquals', arnEquals);
