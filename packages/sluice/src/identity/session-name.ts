import { createHash } from 'node:crypto';

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, RoleSessionName */
const LONGEST_NAME = 64;
const LONGEST_CLUSTER_PART = 31;
const DIGEST_CHARACTERS = 12;

/**
 * The role session name of a database role: `report_user@my-db-cluster`. AWS CloudTrail shows it. A database role may
 * have any name, but STS accepts at most 64 characters of `[\w+=,.@-]`. In a name that does not fit, other characters
 * are replaced, and `=` and a part of the name's SHA-256 are appended, so that no two database roles share a session
 * name.
 */
export function sessionName(cluster: string, databaseRole: string): string {
  const clusterPart = fit(cluster, LONGEST_CLUSTER_PART);
  return `${fit(databaseRole, LONGEST_NAME - 1 - clusterPart.length)}@${clusterPart}`;
}

/** The session name for what the agent or the doctor does by itself. No database role gets this name. */
export function ownSessionName(cluster: string, purpose: 'role-check' | 'clean-up' | 'doctor'): string {
  return `=${purpose}@${fit(cluster, LONGEST_CLUSTER_PART)}`;
}

function fit(name: string, longest: number): string {
  // "=" and "@" are replaced, too: "=" marks the digest, and "@" separates the two parts.
  const safe = name.replace(/[^A-Za-z0-9_+,.-]/g, '-');
  if (safe === name && name !== '' && name.length <= longest) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_CHARACTERS);
  return `${safe.slice(0, longest - 1 - DIGEST_CHARACTERS)}=${digest}`;
}
