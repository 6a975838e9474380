import { parse, stringify } from 'smol-toml';

type Settings = Readonly<Record<string, string | number | boolean | undefined>>;

/** Settings by section; undefined removes a setting. */
export type ConfigChanges = Readonly<Record<string, Settings>>;

/** A sluice.toml with some settings changed. */
export function changedConfig(toml: string, changes: ConfigChanges): string {
  const config: Record<string, Settings> = { ...(parse(toml) as Record<string, Settings>) };
  for (const [section, settings] of Object.entries(changes)) {
    const merged = Object.entries({ ...config[section], ...settings });
    config[section] = Object.fromEntries(merged.filter(([, value]) => value !== undefined));
  }
  return stringify(config);
}
