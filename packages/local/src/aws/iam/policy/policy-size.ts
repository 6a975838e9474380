/**
 * Limits in characters, whitespace not counted.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
 */
const LIMITS = {
  /** One version of a managed policy. */
  managed: 6144,
  /** All inline policies of a user, group or role together. */
  user: 2048,
  group: 5120,
  role: 10_240,
  /** The trust policy of a role. */
  trust: 2048,
} as const;

export type PolicySizeTarget =
  | { readonly type: 'managed' }
  | { readonly type: 'trust' }
  | { readonly type: 'user' | 'group' | 'role'; readonly name: string };

/** Too many characters; IAM answers 409. */
export class PolicySizeExceededError extends Error {
  /** The code of the AWS error. */
  readonly code = 'LimitExceeded';
  readonly retryable = false;

  constructor(message: string) {
    super(message);
    this.name = 'PolicySizeExceededError';
  }
}

/** @param texts one document; for inline policies all inline policies that the user, group or role will have */
export function checkPolicySize(texts: readonly string[], target: PolicySizeTarget): void {
  const limit = LIMITS[target.type];
  const characters = texts.reduce((sum, text) => sum + text.replace(/\s/g, '').length, 0);
  if (characters > limit) throw new PolicySizeExceededError(limitMessage(target, limit));
}

function limitMessage(target: PolicySizeTarget, limit: number): string {
  switch (target.type) {
    case 'managed':
      return `Cannot exceed quota for PolicySize: ${limit}`;
    case 'trust':
      return `Cannot exceed quota for ACLSizePerRole: ${limit}`;
    case 'user':
    case 'group':
    case 'role':
      return `Maximum policy size of ${limit} bytes exceeded for ${target.type} ${target.name}`;
    default:
      return target satisfies never;
  }
}
