import { createHash } from 'node:crypto';

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, RoleSessionName */
const LONGEST_NAME = 64;
const LONGEST_CLUSTER_PART = 31;
const DIGEST_CHARACTERS = 12;

/**
 * The name that AWS CloudTrail shows for what is done with the role: `report_user@my-db-cluster`. Database roles may
 * have any name, and STS takes 64 characters of `[\w+=,.@-]`. What does not fit is replaced, and `=` and a part of its
 * SHA-256 are appended: no role takes the session name of another.
 */
export function sessionName(cluster: string, databaseRole: string): string {
  const clusterPart = fit(cluster, LONGEST_CLUSTER_PART);
  return `${fit(databaseRole, LONGEST_NAME - 1 - clusterPart.length)}@${clusterPart}`;
}

/** For what the agent, or the doctor, does by itself; no database role gets this name. */
export function ownSessionName(cluster: string, purpose: 'role-check' | 'clean-up' | 'doctor'): string {
  return `=${purpose}@${fit(cluster, LONGEST_CLUSTER_PART)}`;
}

function fit(name: string, longest: number): string {
  // "=" and "@" are taken: by the digest, and between the two parts.
  const safe = name.replace(/[^A-Za-z0-9_+,.-]/g, '-');
  if (safe === name && name !== '' && name.length <= longest) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_CHARACTERS);
  return `${safe.slice(0, longest - 1 - DIGEST_CHARACTERS)}=${digest}`;
}
