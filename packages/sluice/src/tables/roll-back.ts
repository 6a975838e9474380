import type { Client } from 'pg';

/** Ends the transaction after a failure, which stays the error that is told, should this fail, too. */
export async function rollBack(client: Client): Promise<void> {
  await client.query('ROLLBACK').catch(() => undefined);
}
