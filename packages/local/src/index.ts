export { LocalError, type LocalErrorCode } from './errors.ts';
export { startPostgres, type PostgresOptions, type RunningPostgres } from './postgres/server.ts';
export {
  startTemporaryPostgres,
  type TemporaryPostgres,
  type TemporaryPostgresOptions,
} from './postgres/temporary-postgres.ts';
export type { PostgresMajor } from './postgres/versions.ts';
export type { AgentConfig, LocalOptions } from './stack/options.ts';
export { startLocal, type LocalStack } from './stack/start-local.ts';
