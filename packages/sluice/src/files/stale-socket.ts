import { once } from 'node:events';
import { unlink } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { errnoOf, SluiceError } from '../errors.ts';

/**
 * Removes the socket file that a killed agent left.
 *
 * @throws SluiceError `config_invalid`: an agent that runs answers at this socket
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const probe = createConnection(path);
  try {
    await once(probe, 'connect');
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') return;
    if (code !== 'ECONNREFUSED') throw error;
    await unlink(path);
    return;
  } finally {
    probe.destroy();
  }
  throw new SluiceError('config_invalid', `an agent is already running at "${path}"`, {
    hint: 'Stop it first, or give this one an agent.socket_directory and an agent.state_directory of its own.',
  });
}
