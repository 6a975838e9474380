import { matchesGlob } from '../glob.ts';
import type { PolicyVariables } from '../policy-variables.ts';
import { ARN_PARTS, splitArn } from '../split-arn.ts';
import { negated, valueOperator } from './operator.ts';

/** Compares each of the six parts of an ARN separately; the pattern `*` matches every ARN. */
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

/** IAM treats ArnEquals and ArnLike in the same way. */
export const arnLike = valueOperator('ArnLike', matchesArn);
export const arnEquals = valueOperator('ArnEquals', matchesArn);

export const arnNotLike = negated('ArnNotLike', arnLike);
export const arnNotEquals = negated('ArnNotEquals', arnEquals);
