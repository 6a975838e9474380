import { StsError } from './sts-error.ts';
import type { StsCall } from './sts-operation.ts';

const DEFAULT_SECONDS = 3600;
const LONGEST_SECONDS = 43_200;
const LONGEST_CHAINED_SECONDS = 3600;

/**
 * How long the session of a role will last.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, DurationSeconds
 * @throws QueryError ValidationError
 */
export function readRoleDuration(
  call: StsCall,
  { maxSessionSeconds }: { maxSessionSeconds: number },
): number {
  const { form, minSessionSeconds } = call;
  const seconds =
    form.integer('DurationSeconds', { min: minSessionSeconds, max: LONGEST_SECONDS }) ?? DEFAULT_SECONDS;
  if (call.principal.type === 'role-session' && seconds > LONGEST_CHAINED_SECONDS) {
    throw new StsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  if (seconds > maxSessionSeconds) {
    throw new StsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  }
  return seconds;
}
