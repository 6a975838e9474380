import { ANY_RUN, matchesGlob, plainGlob } from '../glob.ts';
import type { Listed } from '../policy.ts';
import type { PolicyVariables } from '../policy-variables.ts';
import { ARN_PARTS, splitArn } from '../split-arn.ts';

/**
 * Resources are case-sensitive. If a pattern has a variable that the request has no value for, it does not match in
 * Resource, and in NotResource the statement does not apply.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function appliesToResource(
  { negated, values }: Listed<string>,
  resource: string,
  variables: PolicyVariables,
): boolean {
  const matches = values.map((pattern) => matchesResource(pattern, resource, variables));
  return negated ? matches.every((match) => match === false) : matches.includes(true);
}

/** The part of an ARN that names the resource. Only this part may contain variables. */
const RESOURCE_PART = ARN_PARTS - 1;
const COLON = ':'.charCodeAt(0);

/**
 * Compares the parts between the colons one by one, except that a `*` at the end of a part also matches the following
 * colons. Undefined when the pattern has a variable that the request has no value for.
 */
function matchesResource(pattern: string, resource: string, variables: PolicyVariables): boolean | undefined {
  if (pattern === '*') return true;
  const patterns = variables.splitArn(pattern);
  const parts = splitArn(resource);
  const globs = patterns.map((part, index) =>
    index === RESOURCE_PART ? variables.glob(part) : plainGlob(part),
  );
  if (globs.includes(undefined)) return undefined;

  for (const [index, glob = []] of globs.entries()) {
    if (index < RESOURCE_PART && glob.at(-1) === ANY_RUN) {
      const rest = globs
        .slice(index)
        .flatMap((next = [], offset) => (offset === 0 ? next : [COLON, ...next]));
      return index < parts.length && matchesGlob(rest, parts.slice(index).join(':'));
    }
    const part = parts[index];
    if (part === undefined || !matchesGlob(glob, part)) return false;
  }
  return patterns.length === parts.length;
}
