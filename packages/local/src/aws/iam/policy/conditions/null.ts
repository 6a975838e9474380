import type { PresenceOperator } from './operator.ts';

/** `true`: the request must lack the key. `false`: it must have it. */
export const nullOperator: PresenceOperator = {
  compares: 'presence',
  name: 'Null',
  matches(present, policyValue) {
    const expected = policyValue.toLowerCase();
    return present ? expected === 'false' : expected === 'true';
  },
};
