import type { SeededRandom } from './seeded-random.ts';

/**
 * Who exports: directly or staged; with an IAM role that may also look, list and remove, or with the guide's policy
 * only.
 */
export const ROLES = ['direct', 'staged', 'guide_direct', 'guide_staged'] as const;
export type ExportRole = (typeof ROLES)[number];

/** What one run exports. */
export interface ExportDraw {
  role: ExportRole;
  rows: number;
  /** The number of characters in the text column of each row. */
  width: number;
  options: string;
}

/** Files end at 8 MiB, and parts have 5 MiB, so these are: one part, two parts, two files, three files. */
const SIZES_MB = { part: [2, 5], parts: [6, 8], 'two files': [9, 15], 'three files': [17, 22] } as const;

const PART_BYTES = 5 * 1024 ** 2;

/** An option that COPY does not have. */
export const COMPRESSED = ', compression gzip';

const OPTIONS = [
  '',
  'format text',
  `format text, delimiter '|', null 'nothing'`,
  'format csv',
  `format csv, header true, quote '''', force_quote *`,
  `format csv, delimiter ';', escape '\\', null '-'`,
  'format binary',
  `format csv${COMPRESSED}`,
] as const;

export function drawExport(random: SeededRandom): ExportDraw {
  const role = random.weighted<ExportRole>([
    [4, 'direct'],
    [4, 'staged'],
    [1, 'guide_direct'],
    [1, 'guide_staged'],
  ]);
  const size = random.weighted<keyof typeof SIZES_MB | 'none' | 'one' | 'small'>([
    [1, 'none'],
    [2, 'one'],
    [6, 'small'],
    [2, 'part'],
    [6, 'parts'],
    [4, 'two files'],
    [3, 'three files'],
  ]);
  const options = random.pick(OPTIONS);
  if (size === 'none' || size === 'one') return { role, rows: size === 'none' ? 0 : 1, width: 10, options };
  if (size === 'small') return { role, rows: random.pick([10, 500, 3_000]), width: 20, options };
  // There are few different sizes, so that COPY's output need not be computed for every run.
  const [least, most] = SIZES_MB[size];
  return { role, rows: random.pick([least, most]) * 1000, width: 1000, options };
}

/** Whether the export has more than one part. */
export function isLarge({ rows, width }: ExportDraw): boolean {
  return rows * width > PART_BYTES;
}

/** @param failsAt the row at which the query raises an error */
export function queryOf({ rows, width }: ExportDraw, failsAt?: number): string {
  const failure = failsAt === undefined ? '' : `, 1 / (${failsAt} - g) AS f`;
  return `SELECT g, repeat(chr(97 + g % 26), ${width}) AS x, 'it''s; a | "line"' || chr(10) AS t,
    nullif(g % 3, 0) AS n${failure} FROM generate_series(1, ${rows}) AS g`;
}
