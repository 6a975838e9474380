import { refuse } from '../malformed-policy-error.ts';
import type { PrincipalPattern } from '../policy.ts';
import type { PrincipalsDraft } from './read-principals.ts';

/** The forms of an AWS principal. `*` for everybody is the only wildcard. */
const AWS_PRINCIPALS = [
  /^\*$/,
  /^\d{12}$/,
  /^arn:aws[a-z-]*:iam::\d{12}:root$/,
  /^arn:aws[a-z-]*:iam::\d{12}:(?:user|role)\/[^*?:]+$/,
  /^arn:aws[a-z-]*:sts::\d{12}:(?:assumed-role\/[^*?:/]+|federated-user)\/[^*?:/]+$/,
  // The unique id of a user or role. IAM replaces the ARN of a deleted user or role by its id.
  /^A(?:IDA|ROA)[A-Z0-9]{12,124}$/,
];

const FORMS: Record<PrincipalPattern['type'], readonly RegExp[]> = {
  AWS: AWS_PRINCIPALS,
  Service: [/^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/],
  Federated: [/^[^*?\s]+$/],
  CanonicalUser: [/^[0-9a-fA-F]{64}$/],
};

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html */
export function checkPrincipals(principals: PrincipalsDraft): PrincipalPattern[] {
  if (principals.values.length === 0) refuse('Invalid principal in policy');
  return principals.values.map(([type, value]) => {
    if (!isType(type) || !FORMS[type].some((form) => form.test(value))) {
      return refuse(`Invalid principal in policy: "${type}":"${value}"`);
    }
    return { type, value };
  });
}

function isType(type: string): type is PrincipalPattern['type'] {
  return Object.hasOwn(FORMS, type);
}
