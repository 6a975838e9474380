import type { Finding } from '../walk.ts';

/** https://www.postgresql.org/support/versioning/ */
const OLDEST_MAJOR = 14;
const NEWEST_MAJOR = 18;

/**
 * What is wrong with a server's version.
 *
 * @param versionNumber as server_version_num, e.g. 180004
 * @param server how it is called in what was found
 */
export function judgeVersion(versionNumber: number, server: string): Finding<never> | undefined {
  const major = Math.floor(versionNumber / 10_000);
  if (major < OLDEST_MAJOR) {
    return {
      status: 'failed',
      found: `${server}: too old`,
      mend: `Sluice needs PostgreSQL ${OLDEST_MAJOR} to ${NEWEST_MAJOR}.`,
    };
  }
  if (major <= NEWEST_MAJOR) return undefined;
  return {
    status: 'warning',
    found: `${server}: newer than any that Sluice is tested with (${OLDEST_MAJOR} to ${NEWEST_MAJOR})`,
  };
}
