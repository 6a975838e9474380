import type { QueryForm } from '../query/query-form.ts';
import { QueryError, validationError } from '../query/query-error.ts';
import { IamError } from './iam-error.ts';
import type { IdentityKind } from './identity-kinds.ts';
import type { IamCall } from './iam-operation.ts';
import type { Tag } from './state/iam-state.ts';

const LONGEST = { UserName: 64, RoleName: 64, PolicyName: 128 } as const;

/** The name of a user, role or policy. @throws QueryError ValidationError */
export function readName(form: QueryForm, parameter: keyof typeof LONGEST): string {
  return checkName(parameter, form.required(parameter, { max: LONGEST[parameter] }));
}

/** The name of the user or role that an operation is about. A user who means themselves may leave it out. */
export function readIdentityName({ form, principal }: IamCall, kind: IdentityKind): string {
  if (kind.type === 'role' || form.optional('UserName') !== undefined) return readName(form, kind.parameter);
  if (principal.type === 'user') return principal.arn.slice(principal.arn.lastIndexOf('/') + 1);
  throw validationError('Must specify userName when calling with non-User credentials');
}

function checkName(parameter: string, value: string): string {
  if (/^[\w+=,.@-]+$/.test(value)) return value;
  const name = parameter.charAt(0).toLowerCase() + parameter.slice(1);
  throw validationError(
    `The specified value for ${name} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
  );
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names */
export function readPath(form: QueryForm): string {
  const path = form.optional('Path', { max: 512 }) ?? '/';
  if (/^\/(?:[\u0021-\u007e]+\/)?$/.test(path)) return path;
  throw validationError(
    'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.',
  );
}

export function readPathPrefix(form: QueryForm): string {
  return form.optional('PathPrefix', { max: 512 }) ?? '/';
}

export function readDescription(form: QueryForm): string | undefined {
  return form.optional('Description', { max: 1000 });
}

/** The document of a policy, unchanged. */
export function readDocument(form: QueryForm, parameter = 'PolicyDocument'): string {
  return form.required(parameter, { max: 131_072 });
}

export function readPolicyArn(form: QueryForm, parameter = 'PolicyArn'): string {
  return form.required(parameter, { min: 20, max: 2048 });
}

const MOST_TAGS = 50;

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules */
export function readTags(form: QueryForm, limit = MOST_TAGS): Tag[] {
  const tags = form.structures('Tags').map((tag) => ({
    key: tag.required('Key', { max: 128 }),
    value: tag.required('Value', { min: 0, max: 256 }),
  }));
  if (new Set(tags.map(({ key }) => key.toLowerCase())).size < tags.length) {
    throw new QueryError(
      'InvalidInput',
      400,
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    );
  }
  if (tags.length > limit) throw quotaExceeded('TagsPerResource', limit);
  return tags;
}

/** New values for keys that exist, and new tags. */
export function mergeTags(existing: readonly Tag[], added: readonly Tag[]): Tag[] {
  const keys = new Set(added.map(({ key }) => key.toLowerCase()));
  const merged = [...existing.filter(({ key }) => !keys.has(key.toLowerCase())), ...added];
  if (merged.length > MOST_TAGS) throw quotaExceeded('TagsPerResource', MOST_TAGS);
  return merged;
}

export function quotaExceeded(quota: string, limit: number): IamError {
  return new IamError('LimitExceeded', `Cannot exceed quota for ${quota}: ${limit}`);
}

export function readVersionId(form: QueryForm): string {
  return form.required('VersionId', { pattern: /^v[1-9][0-9]*(?:\.[A-Za-z0-9-]*)?$/ });
}

/** The ARN of the policy that is to be the boundary. */
export function readBoundary(form: QueryForm): string | undefined {
  return form.optional('PermissionsBoundary', { min: 20, max: 2048 });
}

/** In seconds. */
export function readMaxSession(form: QueryForm): number | undefined {
  return form.integer('MaxSessionDuration', { min: 3600, max: 43_200 });
}
