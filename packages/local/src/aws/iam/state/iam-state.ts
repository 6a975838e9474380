import { randomBytes } from 'node:crypto';
import { z } from 'zod';

const tag = z.object({ key: z.string(), value: z.string() });

const inlinePolicy = z.object({ name: z.string(), document: z.string() });

const accessKey = z.object({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  status: z.enum(['Active', 'Inactive']),
  createDate: z.string(),
});

const identity = {
  name: z.string(),
  path: z.string(),
  /** IAM's unique id. A user or role that is created again with the same name gets another id. */
  id: z.string(),
  /** Dates are as IAM shows them: ISO 8601 with whole seconds. */
  createDate: z.string(),
  tags: z.array(tag),
  /** ARNs of managed policies. */
  attachedPolicies: z.array(z.string()),
  inlinePolicies: z.array(inlinePolicy),
  /** The ARN of a managed policy. */
  permissionsBoundary: z.string().optional(),
};

const user = z.object({ ...identity, accessKeys: z.array(accessKey) });

const role = z.object({
  ...identity,
  description: z.string().optional(),
  maxSessionSeconds: z.number(),
  trustPolicy: z.object({
    document: z.string(),
    /**
     * The unique ids of the users and roles in the policy, by ARN: the role trusts these, and not others that get the
     * same names later.
     */
    principalIds: z.array(z.object({ arn: z.string(), id: z.string() })),
  }),
});

const policyVersion = z.object({ versionId: z.string(), document: z.string(), createDate: z.string() });

const managedPolicy = z.object({
  name: z.string(),
  path: z.string(),
  id: z.string(),
  arn: z.string(),
  description: z.string().optional(),
  createDate: z.string(),
  updateDate: z.string(),
  defaultVersionId: z.string(),
  /** The newest first. */
  versions: z.array(policyVersion),
  /** The number of the next version; numbers are not reused. */
  nextVersion: z.number(),
  tags: z.array(tag),
});

export const iamState = z.object({
  version: z.literal(1),
  /** The key that encrypts session tokens: 32 bytes, base64. */
  tokenKey: z.string(),
  users: z.array(user),
  roles: z.array(role),
  policies: z.array(managedPolicy),
});

/** Everything that the IAM of one account knows. */
export type IamState = z.output<typeof iamState>;
export type Tag = z.output<typeof tag>;
export type AccessKey = z.output<typeof accessKey>;
export type User = z.output<typeof user>;
export type Role = z.output<typeof role>;
export type ManagedPolicy = z.output<typeof managedPolicy>;
export type PolicyVersion = z.output<typeof policyVersion>;

export function newIamState(): IamState {
  return { version: 1, tokenKey: randomBytes(32).toString('base64'), users: [], roles: [], policies: [] };
}
