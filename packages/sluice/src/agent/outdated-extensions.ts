import type { Logger } from 'pino';
import { PROTOCOL_VERSION, type BeginRequest } from './request.ts';

/** The log warns of at most this many databases, so that the set of those already named stays small. */
const MAX_DATABASES = 100;

/** Writes to the log, once for each database, that its extension is older than the agent, and how to update it. */
export class OutdatedExtensions {
  readonly #log: Logger;
  readonly #told = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  note({ protocolVersion, database }: BeginRequest): void {
    if (protocolVersion >= PROTOCOL_VERSION || this.#told.has(database)) return;
    if (this.#told.size >= MAX_DATABASES) return;
    this.#told.add(database);
    this.#log.warn(
      { database, protocolVersion },
      'the extension in this database is older than the agent: there, as a superuser: ALTER EXTENSION aws_s3 UPDATE;',
    );
  }
}
