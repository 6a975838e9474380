import { matchesGlob } from '../glob.ts';
import { negated, valueOperator } from './operator.ts';

/** Case-sensitive; `*` stands for any characters, `?` for one. */
export const stringLike = valueOperator('StringLike', (requestValue, policyValue, variables) => {
  const glob = variables.glob(policyValue);
  return glob === undefined ? undefined : matchesGlob(glob, requestValue);
});

export const stringNotLike = negated('StringNotLike', stringLike);
