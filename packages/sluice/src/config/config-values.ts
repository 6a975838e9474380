import { z } from 'zod';
import { parseDuration, parseSize } from './quantity.ts';

/** sun_path has 104 bytes on macOS, 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 103;

/** A quantity such as "8MiB" or "30s", as a number of the smallest unit. */
function quantity(parse: (text: string) => number | undefined, expected: string, min: number, max: number) {
  return z
    .union([z.string(), z.int()], { error: () => `expected ${expected}` })
    .transform((value, context) => {
      const amount = parse(String(value)) ?? Number.NaN;
      if (!(amount >= min && amount <= max)) {
        context.addIssue({ code: 'custom', message: `expected ${expected}`, input: value });
        return z.NEVER;
      }
      return amount;
    });
}

export const bytes = (min: number, max: number, range: string) =>
  quantity(parseSize, `a size such as "64MiB", ${range}`, min, max);
export const duration = (minMs = 1, maxMs = 86_400_000, range = 'from "1ms" to "24h"') =>
  quantity(parseDuration, `a duration such as "30s", ${range}`, minMs, maxMs);

export const absolutePath = () => z.string().regex(/^\//, 'expected an absolute path');
export const name = (pattern: RegExp, expected: string) => z.string().regex(pattern, `expected ${expected}`);
export const url = () => z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });
export const text = () => z.string().min(1);
export const keysTogether = [
  (keys: { access_key_id?: string | undefined; secret_access_key?: string | undefined }) =>
    (keys.access_key_id === undefined) === (keys.secret_access_key === undefined),
  'expected access_key_id and secret_access_key together, or neither',
] as const;
export const region = () => name(/^[a-z0-9-]{1,63}$/, 'an AWS Region such as "us-west-2"');

/** A host and a port, or the path of a Unix socket. */
export function listenAddress() {
  const expected =
    'expected a host and a port such as "127.0.0.1:8432", or the absolute path of a Unix socket';
  return z.string().transform((value, context) => {
    if (value.startsWith('/') && Buffer.byteLength(value) <= MAX_SOCKET_PATH_BYTES) return { path: value };
    const [, host, digits] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(value) ?? [];
    if (host !== undefined && Number(digits) <= 65_535) {
      return { host: host.replace(/^\[|\]$/g, ''), port: Number(digits) };
    }
    context.addIssue({ code: 'custom', message: expected, input: value });
    return z.NEVER;
  });
}

/** How S3 is reached: the keys of `[s3]` that every program has. */
export const s3Keys = {
  endpoint: url().optional(),
  force_path_style: z.boolean().default(false),
  checksums: z.enum(['crc32', 'none']).default('crc32'),
  access_key_id: text().optional(),
  secret_access_key: text().optional(),
  session_token: text().optional(),
  ca_file: absolutePath().optional(),
  connect_timeout: duration().default(5_000),
  request_timeout: duration().default(60_000),
  max_attempts: z.int().min(1).max(20).default(5),
};
