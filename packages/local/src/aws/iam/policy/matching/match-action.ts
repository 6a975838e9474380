import { matchesGlob, plainGlob } from '../glob.ts';
import type { Listed } from '../policy.ts';

/** Actions are not case-sensitive: `S3:PutObject` is `s3:PutObject`. Policy variables are not replaced in them. */
export function appliesToAction({ negated, values }: Listed<string>, action: string): boolean {
  const requested = action.toLowerCase();
  return values.some((value) => matchesGlob(plainGlob(value.toLowerCase()), requested)) !== negated;
}
