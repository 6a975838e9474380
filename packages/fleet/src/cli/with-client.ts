import { FleetClient } from '../fleet-client.ts';
import { loadFleetConfig, type FleetConfig } from '../fleet-config.ts';
import type { ConfigFlag } from './config-option.ts';

/** Does something with a client of the fleet, which is closed in any case. */
export async function withClient<T>(
  { config: file }: ConfigFlag,
  use: (client: FleetClient, config: FleetConfig) => Promise<T>,
  options: { signal?: AbortSignal } = {},
): Promise<T> {
  const config = await loadFleetConfig(file, options);
  for (const warning of config.warnings) process.stderr.write(`warning: ${warning}\n`);
  const client = await FleetClient.connect(config, options);
  try {
    return await use(client, config);
  } finally {
    await client.close();
  }
}
