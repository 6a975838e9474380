import { stringify } from 'smol-toml';
import { writeAtomically } from '../files/write-atomically.ts';
import type { AgentConfig } from './options.ts';

/** Writes the agent's sluice.toml. A setting in `overrides` replaces the one with the same section and key. */
export async function writeAgentConfig(
  file: string,
  config: AgentConfig,
  overrides: AgentConfig,
): Promise<void> {
  const merged: Record<string, AgentConfig[string]> = { ...config };
  for (const [section, settings] of Object.entries(overrides)) {
    merged[section] = { ...merged[section], ...settings };
  }
  await writeAtomically(file, `# Written by the local stack at each start.\n\n${stringify(merged)}`);
}
