import type { Server } from 'node:net';
import type { Logger } from 'pino';

/**
 * A server that listens emits an error where a connection could not be accepted (no memory, no descriptor): that one is
 * lost, and the next may be had. Without a listener it would end the process.
 */
export function logServerErrors(server: Server, log: Logger, name: string): void {
  server.on('error', (error) => log.error({ err: error, server: name }, 'could not accept a connection'));
}
