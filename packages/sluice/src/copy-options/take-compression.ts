import { type Compression, validateCompression } from '../compression/compression.ts';
import { SluiceError } from '../errors.ts';
import type { CopyOption } from './parse-copy-options.ts';

/** Options of an export that COPY does not have. */
export const COMPRESSION_OPTIONS = ['compression', 'compression_level'] as const;

type CompressionOption = (typeof COMPRESSION_OPTIONS)[number];

export interface TakenCompression {
  compression: Compression | undefined;
  /** What is left for COPY. */
  copyOptions: CopyOption[];
}

/**
 * Takes `compression gzip, compression_level 9` out of the options. What is wrong with them is said as COPY says it of its
 * own. Source: defGetString and defGetInt32 in src/backend/commands/define.c, ProcessCopyOptions in copy.c.
 *
 * @throws SluiceError `options_syntax`, `invalid_argument`, `not_supported`
 */
export function takeCompression(options: readonly CopyOption[]): TakenCompression {
  const format = textOf(options, 'compression');
  const level = integerOf(options, 'compression_level');
  const isCompressed = format !== undefined && format !== 'none';
  if (level !== undefined && !isCompressed) {
    throw new SluiceError('invalid_argument', 'compression_level is available only with compression', {
      hint: 'Write, for example: compression gzip, compression_level 9.',
    });
  }
  return {
    compression: isCompressed ? validateCompression(format, level) : undefined,
    copyOptions: options.filter(({ name }) => !COMPRESSION_OPTIONS.some((ours) => ours === name)),
  };
}

function textOf(options: readonly CopyOption[], name: CompressionOption): string | undefined {
  const option = onlyOne(options, name);
  if (option === undefined) return undefined;
  const { value } = option;
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new SluiceError('options_syntax', `${name} requires a parameter`);
}

function integerOf(options: readonly CopyOption[], name: CompressionOption): number | undefined {
  const option = onlyOne(options, name);
  if (option === undefined) return undefined;
  if (typeof option.value === 'number') return option.value;
  throw new SluiceError('options_syntax', `${name} requires an integer value`);
}

function onlyOne(options: readonly CopyOption[], name: CompressionOption): CopyOption | undefined {
  const [option, other] = options.filter((each) => each.name === name);
  if (other !== undefined) {
    throw new SluiceError('options_syntax', 'conflicting or redundant options', {
      detail: `The option ${name} is given more than once.`,
    });
  }
  return option;
}
