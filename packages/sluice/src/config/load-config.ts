import { readFile } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { SluiceError } from '../errors.ts';
import { configSchema, type Config } from './schema.ts';

const REFERENCE_HINT = 'docs/configuration.md describes every key.';

/** A kind of configuration file. */
export interface ConfigKind<T extends z.ZodType> {
  schema: T;
  /** Where its keys are described. */
  hint: string;
}

const SLUICE_TOML = { schema: configSchema, hint: REFERENCE_HINT };

/**
 * Reads and checks a sluice.toml.
 *
 * @throws SluiceError `config_invalid`: the file can't be read, is not TOML, or a value is wrong. The message names
 *   the file; the detail names each key, what was expected and what was found.
 */
export async function loadConfig(path: string, options: { signal?: AbortSignal } = {}): Promise<Config> {
  return Object.freeze(await loadToml(path, SLUICE_TOML, options));
}

/** The same for another file than sluice.toml. */
export async function loadToml<T extends z.ZodType>(
  path: string,
  kind: ConfigKind<T>,
  options: { signal?: AbortSignal } = {},
): Promise<z.output<T>> {
  let text: string;
  try {
    text = await readFile(path, { encoding: 'utf8', ...options });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new SluiceError('config_invalid', `could not read the configuration file "${path}"`, {
      cause: error,
      detail: error instanceof Error ? error.message : String(error),
      hint: `Name the file with --config. ${kind.hint}`,
    });
  }
  return parseToml(text, path, kind);
}

/**
 * Checks the text of a sluice.toml. Errors as loadConfig.
 *
 * @param path named in error messages
 */
export function parseConfig(text: string, path: string): Config {
  return Object.freeze(parseToml(text, path, SLUICE_TOML));
}

/** The same for another file than sluice.toml. */
export function parseToml<T extends z.ZodType>(
  text: string,
  path: string,
  { schema, hint }: ConfigKind<T>,
): z.output<T> {
  let values: unknown;
  try {
    values = parse(text);
  } catch (error) {
    const where = error instanceof TomlError ? ` (line ${error.line}, column ${error.column})` : '';
    throw new SluiceError('config_invalid', `the configuration file "${path}" is not valid TOML${where}`, {
      cause: error,
      detail: error instanceof Error ? error.message : String(error),
      hint,
    });
  }
  const result = schema.safeParse(values, { reportInput: true });
  if (!result.success) {
    throw new SluiceError(
      'config_invalid',
      `the configuration file "${path}" has a value that cannot be used`,
      {
        cause: result.error,
        detail: result.error.issues.map(describeIssue).join('; '),
        hint,
      },
    );
  }
  return result.data;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const key = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => `${key ? `${key}.` : ''}${name}: there is no such key`).join('; ');
  }
  const expected = issue.message.startsWith('expected') ? issue.message : lowerFirst(issue.message);
  return `${key || 'the file'}: ${expected}${foundValue(issue)}`;
}

/** Keys whose values are never shown; a url may hold a password. */
const SECRET = /secret|token|password|(?:^|\.)(?:key|url)$/;

/** The value found in the file; undefined for secrets and for whole tables. */
function foundValue(issue: z.core.$ZodIssue): string {
  if (SECRET.test(issue.path.join('.'))) return '';
  if (issue.input === undefined) return ', found nothing';
  return typeof issue.input === 'object' ? '' : `, found ${JSON.stringify(issue.input)}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
