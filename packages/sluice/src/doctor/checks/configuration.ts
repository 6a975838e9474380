import { loadConfig } from '../../config/load-config.ts';
import type { Config } from '../../config/schema.ts';
import type { Finding } from '../walk.ts';

/** Checks that sluice.toml can be read and that all its values can be used. */
export async function checkConfiguration(
  file: string,
  options: { signal: AbortSignal },
): Promise<Finding<Config>> {
  const config = await loadConfig(file, options);
  const { identifier, region } = config.cluster;
  return { status: 'ok', found: `${file}: cluster "${identifier}" in ${region}`, value: config };
}
