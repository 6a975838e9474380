import { beforeAll, describe, expect, it } from 'vitest';
import { hasZstd } from '../compression/zstd-stream.ts';
import { loadParser, parseCopyOptions } from './parse-copy-options.ts';
import { takeCompression } from './take-compression.ts';

beforeAll(async () => loadParser());

const take = (text: string) => takeCompression(parseCopyOptions(text));
const CSV = [{ name: 'format', value: 'csv' }];

describe('takeCompression', () => {
  it.each([
    ['format csv', undefined],
    ['format csv, compression none', undefined],
    ['format csv, compression gzip', { format: 'gzip', level: 6 }],
    ["compression 'gzip', format csv", { format: 'gzip', level: 6 }],
    ['COMPRESSION GZIP, format csv', { format: 'gzip', level: 6 }],
    ['compression_level 9, format csv, compression gzip', { format: 'gzip', level: 9 }],
    ['(format csv, "compression" "gzip", compression_level 1)', { format: 'gzip', level: 1 }],
  ])('of %s leaves the rest to COPY', (text, compression) => {
    expect(take(text)).toEqual({ compression, copyOptions: CSV });
  });

  it.each([
    ['compression', 'options_syntax', 'compression requires a parameter'],
    ['compression (gzip)', 'options_syntax', 'compression requires a parameter'],
    ['compression *', 'options_syntax', 'compression requires a parameter'],
    ['compression gzip, compression gzip', 'options_syntax', 'conflicting or redundant options'],
    ['compression none, compression gzip', 'options_syntax', 'conflicting or redundant options'],
    [
      'compression gzip, compression_level 1, compression_level 1',
      'options_syntax',
      'conflicting or redundant options',
    ],
    ['compression bzip2', 'invalid_argument', 'compression "bzip2" not recognized'],
    ["compression 'GZIP'", 'invalid_argument', 'compression "GZIP" not recognized'],
    ["compression ''", 'invalid_argument', 'compression "" not recognized'],
    ['compression __proto__', 'invalid_argument', 'compression "__proto__" not recognized'],
    ['compression true', 'invalid_argument', 'compression "true" not recognized'],
    ['compression 5', 'invalid_argument', 'compression "5" not recognized'],
    ['compression gzip, compression_level 0', 'invalid_argument', 'compression level 0 is out of range'],
    ['compression gzip, compression_level 10', 'invalid_argument', 'compression level 10 is out of range'],
    ['compression gzip, compression_level -1', 'invalid_argument', 'compression level -1 is out of range'],
    [
      'compression gzip, compression_level 1.5',
      'options_syntax',
      'compression_level requires an integer value',
    ],
    [
      "compression gzip, compression_level '9'",
      'options_syntax',
      'compression_level requires an integer value',
    ],
    ['compression gzip, compression_level', 'options_syntax', 'compression_level requires an integer value'],
    ['compression_level 5', 'invalid_argument', 'compression_level is available only with compression'],
    [
      'compression none, compression_level 5',
      'invalid_argument',
      'compression_level is available only with compression',
    ],
  ])('refuses %s', (text, code, message) => {
    expect(() => take(text)).toThrow(expect.objectContaining({ code, message }));
  });

  it.runIf(hasZstd())('takes zstd', () => {
    expect(take('compression zstd').compression).toEqual({ format: 'zstd', level: 3 });
  });

  it.skipIf(hasZstd())('says which Node.js has zstd', () => {
    expect(() => take('compression zstd')).toThrow(
      expect.objectContaining({
        code: 'not_supported',
        message: 'zstd compression needs Node.js 22.15 or newer',
      }),
    );
  });
});
