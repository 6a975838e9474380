import { deflateRawSync } from 'node:zlib';
import { lookUpPolicy } from '../iam/find-policy.ts';
import { MalformedPolicyDocumentError } from '../iam/policy/malformed-policy-error.ts';
import { parsePolicy } from '../iam/policy/parse-policy.ts';
import { StsError } from './sts-error.ts';
import type { StsCall } from './sts-operation.ts';

const LONGEST_POLICY = 2048;
const MOST_ARNS = 10;
/**
 * The limit for policies and tags. AWS does not document the binary form that it measures; deflated JSON has about the
 * same size.
 */
const PACKED_BYTES = 2048;

export interface SessionLimits {
  readonly policies: string[];
  readonly policyArns: string[];
}

/** The policies that limit the new session. @throws StsError, MalformedPolicyDocumentError, QueryError */
export function readSessionPolicies({ form, store }: StsCall): SessionLimits {
  const document = form.optional('Policy', { max: LONGEST_POLICY });
  if (document !== undefined) parsePolicy(document, 'identity');
  const policyArns = form
    .structures('PolicyArns')
    .map((item) => item.required('arn', { min: 20, max: 2048 }));
  if (policyArns.length > MOST_ARNS) {
    throw new StsError('ValidationError', `The number of policy ARNs exceeds the limit of ${MOST_ARNS}.`);
  }
  for (const arn of policyArns) {
    if (lookUpPolicy(store.state, arn) !== undefined) continue;
    throw new MalformedPolicyDocumentError(`Policy ${arn} does not exist or is not attachable.`);
  }
  return { policies: document === undefined ? [] : [document], policyArns };
}

/**
 * How much of the limit the session's policies and tags take, in percent; undefined when there are none.
 * @throws StsError PackedPolicyTooLarge
 */
export function packedPolicyPercent(
  { policies, policyArns }: SessionLimits,
  tags: Readonly<Record<string, string>>,
): number | undefined {
  if (policies.length + policyArns.length + Object.keys(tags).length === 0) return undefined;
  const packed = deflateRawSync(JSON.stringify([policies, policyArns, tags]));
  const percent = Math.ceil((packed.length / PACKED_BYTES) * 100);
  if (percent <= 100) return percent;
  throw new StsError(
    'PackedPolicyTooLarge',
    `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`,
  );
}
