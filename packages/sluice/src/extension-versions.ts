import { readFileSync } from 'node:fs';

/** The versions of the extensions that this package installs, by name, as their control files say. */
export const EXTENSION_VERSIONS: ReadonlyMap<string, string> = new Map(
  ['aws_commons', 'aws_s3'].map((name) => [name, defaultVersion(name)]),
);

function defaultVersion(name: string): string {
  const control = readFileSync(new URL(`../extension/${name}.control`, import.meta.url), 'utf8');
  const version = /^default_version = '(.*)'$/m.exec(control)?.[1];
  if (version === undefined) throw new Error(`${name}.control names no default_version`);
  return version;
}
