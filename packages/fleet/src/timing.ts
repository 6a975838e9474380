/** How soon a fleet notices what has happened. All in milliseconds. */
export interface FleetTiming {
  /** A job whose worker was not heard of for so long is given to another. */
  lockMs: number;
  /** How often workers look for such jobs. */
  stalledMs: number;
  /** An attempt that was not heard of for so long has lost its export. */
  leaseMs: number;
  /** How often an attempt says that it is there. */
  extendMs: number;
  /** An attempt that could not say so for so long ends itself; well below `leaseMs`. */
  giveUpMs: number;
  /** How often whoever reads a piece looks whether its attempt is still there. */
  checkMs: number;
  /** How often the jobs of pieces are looked at, since an event may have been missed. */
  lookMs: number;
  /** How often workers look for what lost attempts have left at S3. */
  sweepMs: number;
  /** An upload that no journal knows is aborted when it was seen for so long. */
  unknownUploadMs: number;
  /** How long S3 may take to carry out a request that was broken off. */
  lateMs: number;
  /** Before a piece whose session was lost is read again; doubled each time. */
  retryMs: number;
}

export const DEFAULT_TIMING: Readonly<FleetTiming> = {
  lockMs: 30_000,
  stalledMs: 10_000,
  leaseMs: 30_000,
  extendMs: 5_000,
  giveUpMs: 20_000,
  checkMs: 3_000,
  lookMs: 5_000,
  sweepMs: 30_000,
  unknownUploadMs: 20_000,
  lateMs: 30_000,
  retryMs: 500,
};
