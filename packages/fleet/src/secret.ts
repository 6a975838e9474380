import { readFile, stat } from 'node:fs/promises';
import { SluiceError } from 'sluice';

/** Where a secret comes from: one of these. */
export interface SecretPlace {
  value?: string | undefined;
  /** The name of an environment variable. */
  env?: string | undefined;
  file?: string | undefined;
}

/** The bit of a file's mode by which all users may read it. */
const READABLE_BY_OTHERS = 0o004;

/** A secret of fleet.toml, which is read when it is needed: a machine has only those that it uses. */
export class Secret {
  readonly #key: string;
  readonly #place: SecretPlace;

  /** @param key its key in fleet.toml, for error messages */
  constructor(key: string, place: SecretPlace) {
    this.#key = key;
    this.#place = place;
  }

  /** @throws SluiceError `config_invalid`: it is not there, or empty */
  async read(): Promise<string> {
    const { value, env, file } = this.#place;
    const text = value ?? (env === undefined ? await this.#readFile(file ?? '') : process.env[env]);
    const secret = text?.trim() ?? '';
    if (secret !== '') return secret;
    const where =
      env === undefined ? `the file "${file}" is empty` : `the environment variable ${env} is not set`;
    throw new SluiceError('config_invalid', `${this.#key}: ${where}`, {
      hint: 'Put the secret there, or name another place for it in fleet.toml.',
    });
  }

  /** What is wrong with the file that it is in. */
  async warning(): Promise<string | undefined> {
    const { file } = this.#place;
    return file === undefined ? undefined : readableByOthers(file, this.#key);
  }

  async #readFile(file: string): Promise<string> {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      throw new SluiceError('config_invalid', `${this.#key}: could not read "${file}"`, {
        cause: error,
        detail: error instanceof Error ? error.message : String(error),
      });
    }
  }
}

/** A warning when other users of this machine may read the file; none when there is no such file. */
export async function readableByOthers(file: string, what: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(file);
    if ((mode & READABLE_BY_OTHERS) === 0) return undefined;
    return `${what}: every user of this machine may read the secret in "${file}": chmod o-r it`;
  } catch {
    // Whoever reads the secret says that it is not there.
    return undefined;
  }
}
