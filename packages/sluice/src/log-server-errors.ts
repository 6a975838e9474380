import type { Server } from 'node:net';
import type { Logger } from 'pino';

/**
 * Logs the errors of a listening server. It emits one when a connection could not be accepted (no memory, no file
 * descriptor); only that connection is lost. Without a listener the error would end the process.
 */
export function logServerErrors(server: Server, log: Logger, name: string): void {
  server.on('error', (error) => log.error({ err: error, server: name }, 'could not accept a connection'));
}
