import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where copies of PostgreSQL's binaries are kept: SLUICE_CACHE_DIR; for root /var/cache/sluice, since PostgreSQL's
 * unprivileged user cannot read in root's home; for others the XDG cache directory.
 */
export function defaultCacheDirectory(env: NodeJS.ProcessEnv, uid = process.getuid?.()): string {
  if (env['SLUICE_CACHE_DIR']) return resolve(env['SLUICE_CACHE_DIR']);
  if (uid === 0) return '/var/cache/sluice';
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice');
}
