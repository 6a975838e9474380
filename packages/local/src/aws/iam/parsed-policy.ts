import { parsePolicy } from './policy/parse-policy.ts';
import type { Policy, PolicyKind } from './policy/policy.ts';

const MOST = 500;

/** Policies are read at every request, and seldom change. */
const parsed = new Map<string, Policy>();

/** parsePolicy of a document that was parsed before. @throws MalformedPolicyDocumentError */
export function parsedPolicy(document: string, kind: PolicyKind): Policy {
  const key = `${kind} ${document}`;
  let policy = parsed.get(key);
  if (policy === undefined) {
    policy = parsePolicy(document, kind);
    if (parsed.size >= MOST) parsed.clear();
    parsed.set(key, policy);
  }
  return policy;
}
