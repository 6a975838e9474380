/**
 * The environment of PostgreSQL's programs: none of ours, whose AWS keys would be open to every superuser, and whose
 * language would be that of the log.
 */
export const POSTGRES_ENVIRONMENT: NodeJS.ProcessEnv = { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin' };
