/** Partition, service and the like, each between two colons: `arn:aws:s3:us-west-2:123456789012:name`. */
export const ARN_PARTS = 6;

/** Splits at the first five colons; the last part keeps its colons. */
export function splitArn(arn: string): string[] {
  const parts = arn.split(':');
  if (parts.length <= ARN_PARTS) return parts;
  return [...parts.slice(0, ARN_PARTS - 1), parts.slice(ARN_PARTS - 1).join(':')];
}
