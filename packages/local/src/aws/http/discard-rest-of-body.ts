import type { IncomingMessage } from 'node:http';

const LONGEST_MS = 10_000;

/**
 * Reads and discards what a client still sends after it was answered. Closing the connection at once would reset it,
 * and the client might lose the answer. A client that sends for too long is cut off.
 */
export function discardRestOfBody(incoming: IncomingMessage): void {
  if (incoming.complete || incoming.destroyed) return;
  const cutOff = setTimeout(() => incoming.destroy(), LONGEST_MS).unref();
  incoming.once('close', () => clearTimeout(cutOff));
  incoming.resume();
}
