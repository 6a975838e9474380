import type { IncomingMessage } from 'node:http';

const LONGEST_MS = 10_000;

/**
 * Reads what a client still sends after it was answered. Closing at once would reset the connection, and the client
 * might lose the answer; a client that sends for too long is cut off all the same.
 */
export function discardRestOfBody(incoming: IncomingMessage): void {
  if (incoming.complete || incoming.destroyed) return;
  const cutOff = setTimeout(() => incoming.destroy(), LONGEST_MS).unref();
  incoming.once('close', () => clearTimeout(cutOff));
  incoming.resume();
}
