import { z } from 'zod';
import { SluiceError } from '../errors.ts';

/**
 * The features for which an Aurora PostgreSQL cluster can use a role. Only s3Export has an effect here; the others can
 * be associated, so that scripts written for Aurora work.
 * https://docs.aws.amazon.com/cli/latest/reference/rds/describe-db-engine-versions.html, SupportedFeatureNames
 */
export const FEATURE_NAMES = [
  's3Export',
  's3Import',
  'Lambda',
  'Comprehend',
  'SageMaker',
  'Bedrock',
] as const;

export type FeatureName = (typeof FEATURE_NAMES)[number];

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_Limits.html, IAM roles per DB cluster */
export const MAX_ASSOCIATIONS = 5;

/**
 * ACTIVE: the cluster can assume the role. INVALID: it can't. PENDING: that is not known yet.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBClusterRole.html
 */
const statusSchema = z.enum(['ACTIVE', 'PENDING', 'INVALID']);
export type AssociationStatus = z.output<typeof statusSchema>;

/**
 * The ARN of a role. Partition and account may differ from AWS's: Ceph and MinIO have their own.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
 */
const ROLE_ARN = /^arn:[a-z][a-z0-9-]{0,31}:iam::[\w-]{0,64}:role\/[\w+=,.@/-]{1,576}$/;

export const associationSchema = z.strictObject({
  roleArn: z.string().regex(ROLE_ARN, 'expected the ARN of an IAM role'),
  featureName: z.enum(FEATURE_NAMES),
  status: statusSchema,
});

/** A role that the cluster may assume for a feature. */
export type RoleAssociation = Readonly<z.output<typeof associationSchema>>;

/** What identifies an association. */
export type AssociationKey = Pick<RoleAssociation, 'roleArn' | 'featureName'>;

/** @throws SluiceError `invalid_argument`: that is not the ARN of a role, or not the name of a feature */
export function parseAssociationKey(roleArn: string, featureName: string): AssociationKey {
  const feature = FEATURE_NAMES.find((name) => name === featureName);
  if (feature === undefined) {
    throw new SluiceError('invalid_argument', `there is no feature ${JSON.stringify(featureName)}`, {
      hint: `The features of a cluster are ${FEATURE_NAMES.join(', ')}.`,
    });
  }
  if (!ROLE_ARN.test(roleArn)) {
    throw new SluiceError('invalid_argument', `not the ARN of an IAM role: ${JSON.stringify(roleArn)}`, {
      hint: 'Give an ARN such as arn:aws:iam::123456789012:role/my-export-role, as "aws iam get-role" shows it.',
    });
  }
  return { roleArn, featureName: feature };
}

export function isSameAssociation(a: AssociationKey, b: AssociationKey): boolean {
  return a.roleArn === b.roleArn && a.featureName === b.featureName;
}
