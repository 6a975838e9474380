/** Margins of the search: S3 gives times in whole seconds, and a request may reach S3 after its answer was given up. */
const BEFORE_MS = 2_000;
const AFTER_MS = 5_000;
/** How long an attempt is assumed to last when its end was not noted, because the process was killed. */
const LONGEST_ATTEMPT_MS = 60_000;

/** When an upload may have begun at S3 whose creation got no answer, in milliseconds by our clock. */
export function searchSpan({
  askedAt,
  lostAt = askedAt + LONGEST_ATTEMPT_MS,
}: {
  askedAt: number;
  lostAt?: number | undefined;
}): { from: number; to: number } {
  return { from: askedAt - BEFORE_MS, to: lostAt + AFTER_MS };
}
