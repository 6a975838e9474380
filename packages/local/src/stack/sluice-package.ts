import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package `sluice`, with the agent's program and the extension files. */
export function sluicePackage(): string {
  return dirname(fileURLToPath(import.meta.resolve('sluice/package.json')));
}
