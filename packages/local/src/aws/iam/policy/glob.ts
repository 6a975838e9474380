/** A pattern as UTF-16 code units, with `ANY_RUN` and `ANY_ONE` for the wildcards `*` and `?`. */
export type Glob = readonly number[];

export const ANY_RUN = -1;
export const ANY_ONE = -2;

const STAR = '*'.charCodeAt(0);
const QUESTION_MARK = '?'.charCodeAt(0);

/** The glob of a pattern that has no policy variables. */
export function plainGlob(pattern: string): Glob {
  return Array.from({ length: pattern.length }, (_, index) => toGlobUnit(pattern.charCodeAt(index)));
}

/** A code unit, or the wildcard that it stands for. */
export function toGlobUnit(unit: number): number {
  if (unit === STAR) return ANY_RUN;
  return unit === QUESTION_MARK ? ANY_ONE : unit;
}

/**
 * Whether the whole text matches. The algorithm backtracks only to the last `*`, so a hostile pattern (`*a*a*a*b`)
 * takes at most pattern length times text length steps. A regular expression could take exponential time.
 */
export function matchesGlob(glob: Glob, text: string): boolean {
  let inGlob = 0;
  let inText = 0;
  let lastRun = -1;
  let lastRunEnd = 0;
  while (inText < text.length) {
    const expected = glob[inGlob];
    if (expected === ANY_RUN) {
      lastRun = inGlob;
      lastRunEnd = inText;
      inGlob += 1;
    } else if (expected === ANY_ONE || expected === text.charCodeAt(inText)) {
      inGlob += 1;
      inText += 1;
    } else if (lastRun >= 0) {
      lastRunEnd += 1;
      inText = lastRunEnd;
      inGlob = lastRun + 1;
    } else {
      return false;
    }
  }
  while (glob[inGlob] === ANY_RUN) inGlob += 1;
  return inGlob === glob.length;
}
