import { Command } from 'commander';
import { errnoOf, SluiceError } from '../errors.ts';
import { VERSION } from '../version.ts';

/** A separate package and not a dependency of this one: a database host does not need it. */
const LOCAL_PACKAGE = '@sluice/local/cli';

/** `sluice local`: passes all options, also --help, to @sluice/local. */
export function localCommand(): Command {
  return new Command('local')
    .description(
      'run a real PostgreSQL and a local AWS with the agent between them, for development and tests',
    )
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]', 'see sluice local --help')
    .action(async (options: string[]) => {
      const { localCommand: command } = await loadLocal();
      await command().parseAsync(options, { from: 'user' });
    });
}

interface LocalModule {
  localCommand: () => Command;
}

async function loadLocal(): Promise<LocalModule> {
  try {
    const module: LocalModule = await import(LOCAL_PACKAGE);
    return module;
  } catch (error) {
    if (errnoOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new SluiceError('config_invalid', 'the local stack is not installed', {
      cause: error,
      hint: `Install its package of the same version beside sluice: npm install sluice-local-${VERSION}.tgz.`,
    });
  }
}
