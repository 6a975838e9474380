/**
 * The environment of PostgreSQL's programs. Ours is not passed on: every superuser could read its AWS keys, and its
 * locale would change the language of the log.
 */
export const POSTGRES_ENVIRONMENT: NodeJS.ProcessEnv = { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin' };
