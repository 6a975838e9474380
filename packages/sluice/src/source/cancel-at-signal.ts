import type { Client } from 'pg';
import { cancelQuery } from './cancel-query.ts';

/** For the server to cancel a query; then the connection is closed. */
const CANCEL_TIMEOUT_MS = 5_000;

/**
 * Works on a client. At the signal, the query under way is cancelled (it may wait for a lock that another session holds),
 * and the signal's reason is thrown when it has ended.
 */
export async function cancelAtSignal<T>(
  client: Client,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  let cancelled: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    cancelled = cancelQuery(client, { timeoutMs: CANCEL_TIMEOUT_MS });
    timer = setTimeout(() => client.connection.stream.destroy(), CANCEL_TIMEOUT_MS);
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    clearTimeout(timer);
    // One that is still on its way would hit the next query.
    await cancelled;
  }
}
