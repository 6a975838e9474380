import type { SeededRandom } from './seeded-random.ts';

/** Who exports: directly or from a staged table; with an IAM role that may look and remove, or the guide's alone. */
export const ROLES = ['direct', 'staged', 'guide_direct', 'guide_staged'] as const;
export type ExportRole = (typeof ROLES)[number];

/** What one run exports. */
export interface ExportDraw {
  role: ExportRole;
  rows: number;
  /** Characters in the text of a row. */
  width: number;
  options: string;
}

/** Files end at 8 MiB, parts at 5 MiB: one part, two, two files, three. */
const SIZES_MB = { part: [2, 5], parts: [6, 8], 'two files': [9, 15], 'three files': [17, 22] } as const;

const PART_BYTES = 5 * 1024 ** 2;

const OPTIONS = [
  '',
  'format text',
  `format text, delimiter '|', null 'nothing'`,
  'format csv',
  `format csv, header true, quote '''', force_quote *`,
  `format csv, delimiter ';', escape '\\', null '-'`,
  'format binary',
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
  // A few sizes each, so that what COPY makes of them need not be asked anew for every run.
  const [least, most] = SIZES_MB[size];
  return { role, rows: random.pick([least, most]) * 1000, width: 1000, options };
}

/** Whether it is more than one part. */
export function isLarge({ rows, width }: ExportDraw): boolean {
  return rows * width > PART_BYTES;
}

/** @param failsAt the row at which the query fails by itself */
export function queryOf({ rows, width }: ExportDraw, failsAt?: number): string {
  const failure = failsAt === undefined ? '' : `, 1 / (${failsAt} - g) AS f`;
  return `SELECT g, repeat(chr(97 + g % 26), ${width}) AS x, 'it''s; a | "line"' || chr(10) AS t,
    nullif(g % 3, 0) AS n${failure} FROM generate_series(1, ${rows}) AS g`;
}
