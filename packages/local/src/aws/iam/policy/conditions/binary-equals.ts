import { valueOperator } from './operator.ts';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Byte for byte; both values are base64, as in the policy. */
export const binaryEquals = valueOperator('BinaryEquals', (requestValue, policyValue) => {
  if (!BASE64.test(requestValue) || !BASE64.test(policyValue)) return false;
  return Buffer.from(requestValue, 'base64').equals(Buffer.from(policyValue, 'base64'));
});
