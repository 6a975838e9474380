import { conditionContext } from '../condition-context.ts';
import { refuse } from '../malformed-policy-error.ts';
import { policyVariables } from '../policy-variables.ts';

const PARTITIONS = new Set([
  '*',
  'aws',
  'aws-cn',
  'aws-us-gov',
  'aws-eusc',
  'aws-iso',
  'aws-iso-b',
  'aws-iso-e',
  'aws-iso-f',
]);

const IAM_PATHS = [
  'user/',
  'federated-user/',
  'role/',
  'group/',
  'instance-profile/',
  'mfa/',
  'server-certificate/',
  'policy/',
  'sms-mfa/',
  'saml-provider/',
  'oidc-provider/',
  'report/',
  'access-report/',
];

/** The resources of S3 whose ARNs have a region; those of buckets and objects have none. */
const REGIONAL_S3_PATHS = ['accesspoint/', 'job/', 'storage-lens', 'async-request/'];

/**
 * What is wrong with an entry of Resource or NotResource, as IAM says it; undefined when nothing is.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function resourceProblem(resource: string): string | undefined {
  if (resource === '*') return undefined;
  const [prefix, partition, ...rest] = resource.split(':');
  if (partition === undefined) return `Resource ${resource} must be in ARN format or "*".`;
  if (!PARTITIONS.has(partition)) {
    const [service = '*', region = '*', account = '*', ...id] = rest;
    const idText = id.length > 0 ? id.join(':') : '*';
    return `Partition "${partition}" is not valid for resource "arn:${partition}:${service}:${region}:${account}:${idText}".`;
  }
  if (prefix !== 'arn') return `Resource ${resource} must be in ARN format or "*".`;
  if (rest.length === 0) return 'Resource vendor must be fully qualified and cannot contain regexes.';
  return servicesProblem(resource);
}

const variables = policyVariables('2012-10-17', conditionContext());

function servicesProblem(resource: string): string | undefined {
  const [, , service, region = '', , path] = variables.splitArn(resource);
  const hasRegion = region !== '' && region !== '*';
  if (service === 's3' && hasRegion && !REGIONAL_S3_PATHS.some((start) => path?.startsWith(start))) {
    return `Resource ${resource} can not contain region information.`;
  }
  if (service !== 'iam') return undefined;
  if (hasRegion) return `IAM resource ${resource} cannot contain region information.`;
  if (path === undefined || IAM_PATHS.some((start) => mayStartWith(path, start))) return undefined;
  return `IAM resource path must either be "*" or start with ${IAM_PATHS.join(', ')}.`;
}

/** Whether texts that match the pattern can begin with `start`, possibly because of a wildcard. */
function mayStartWith(pattern: string, start: string): boolean {
  const literal = pattern.split(/[*?]/, 1)[0] ?? '';
  return pattern.startsWith(start) || (literal.length < pattern.length && start.startsWith(literal));
}

/** The check of IAM's older parser, which has its own rules for ARNs and one message for all errors. */
export function checkLegacyArn(resource: string): void {
  if (resource === '*') return;
  const parts = resource.split(':');
  const cutShort = parts.length < 6 && resource.includes('::');
  if (cutShort || parts[2] === '') refuse('The policy failed legacy parsing');
}
