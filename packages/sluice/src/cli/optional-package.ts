import { Command } from 'commander';
import { errnoOf, SluiceError } from '../errors.ts';
import { VERSION } from '../version.ts';

/** A package of commands that is not a dependency of this one: who does not need it, does not install it. */
export interface OptionalPackage {
  /** As npm knows it. */
  name: string;
  /** What the error says is not installed. */
  what: string;
}

/** The module `cli` of an optional package. The caller says what it exports. */
export async function importCommands<Module>({ name, what }: OptionalPackage): Promise<Module> {
  try {
    const module: Module = await import(`${name}/cli`);
    return module;
  } catch (error) {
    // Something that the package itself imports may be missing, too: that is another error.
    if (errnoOf(error) !== 'ERR_MODULE_NOT_FOUND' || !messageOf(error).includes(`'${name}'`)) throw error;
    throw new SluiceError('config_invalid', `${what} is not installed`, {
      cause: error,
      hint: `Install its package of the same version beside sluice: npm install ${fileName(name)}.`,
    });
  }
}

/** A command of an optional package: all its options, also --help, are passed on. */
export function passedOn(name: string, description: string, load: () => Promise<() => Command>): Command {
  return new Command(name)
    .description(description)
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]', `see sluice ${name} --help`)
    .action(async (options: string[]) => {
      const command = await load();
      await command().parseAsync(options, { from: 'user' });
    });
}

function fileName(name: string): string {
  return `${name.replace(/^@/, '').replaceAll('/', '-')}-${VERSION}.tgz`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
