import { parsePolicy } from './policy/parse-policy.ts';
import type { Policy, PolicyKind } from './policy/policy.ts';

const MOST = 500;

/** A cache: policies are read at every request and rarely change. */
const parsed = new Map<string, Policy>();

/**
 * Like parsePolicy, for a document that is valid already; the result is cached. @throws MalformedPolicyDocumentError
 */
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
