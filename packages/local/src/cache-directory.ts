import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The directory for copies of PostgreSQL's binaries: SLUICE_CACHE_DIR if it is set; /var/cache/sluice for root, because
 * PostgreSQL's unprivileged user can't read in root's home; the XDG cache directory for other users.
 */
export function defaultCacheDirectory(env: NodeJS.ProcessEnv, uid = process.getuid?.()): string {
  if (env['SLUICE_CACHE_DIR']) return resolve(env['SLUICE_CACHE_DIR']);
  if (uid === 0) return '/var/cache/sluice';
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice');
}
