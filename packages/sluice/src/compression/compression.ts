import { SluiceError } from '../errors.ts';
import { hasZstd } from './zstd-stream.ts';

export type CompressionFormat = 'gzip' | 'zstd';

/** How each file of an export is compressed. */
export interface Compression {
  format: CompressionFormat;
  level: number;
}

/**
 * The levels of each format. zstd has more, for which the stream of each file that is being written takes 50 to 100 MB.
 */
const LEVELS: Readonly<Record<CompressionFormat, { least: number; most: number; usual: number }>> = {
  gzip: { least: 1, most: 9, usual: 6 },
  zstd: { least: 1, most: 9, usual: 3 },
};

const FORMATS = Object.keys(LEVELS).join(' or ');

/**
 * The level is that of the tools by default: 6 for gzip, 3 for zstd.
 *
 * @throws SluiceError `invalid_argument`; `not_supported`: this Node.js has no zstd
 */
export function validateCompression(format: string, level?: number): Compression {
  if (!isFormat(format)) {
    throw new SluiceError('invalid_argument', `compression "${format.slice(0, 100)}" not recognized`, {
      hint: `Compression is ${FORMATS}.`,
    });
  }
  const { least, most, usual } = LEVELS[format];
  const chosen = level ?? usual;
  if (!Number.isInteger(chosen) || chosen < least || chosen > most) {
    throw new SluiceError('invalid_argument', `compression level ${chosen} is out of range`, {
      hint: `The level of ${format} is a whole number from ${least} to ${most}; ${usual} without one.`,
    });
  }
  if (format === 'zstd' && !hasZstd()) {
    throw new SluiceError('not_supported', 'zstd compression needs Node.js 22.15 or newer', {
      detail: `Sluice runs on Node.js ${process.version.slice(1)}.`,
      hint: 'Compress with gzip, or run Sluice on a newer Node.js.',
    });
  }
  return { format, level: chosen };
}

function isFormat(format: string): format is CompressionFormat {
  return Object.hasOwn(LEVELS, format);
}
