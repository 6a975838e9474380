import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SluiceError } from '../errors.ts';

/**
 * Asks a server's pg_config for its share directory.
 * @see https://www.postgresql.org/docs/current/app-pgconfig.html
 */
export async function findShareDirectory(
  pgConfig: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(pgConfig, ['--sharedir'], { signal });
    return stdout.trim();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new SluiceError('invalid_argument', `could not run ${pgConfig}`, {
      cause,
      detail: cause instanceof Error ? `${cause.message.trim()}.` : undefined,
      hint: 'Name the pg_config of your server, e.g. --pg-config /usr/lib/postgresql/18/bin/pg_config. If there is none, install it: package libpq-dev on Debian and Ubuntu, postgresql-devel on Red Hat and Fedora.',
    });
  }
}
