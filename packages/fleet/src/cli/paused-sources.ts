import type { FleetClient } from '../fleet-client.ts';

const EXPORTS = 'exports-';

/** The sources of which nothing new is begun. */
export async function pausedSources(client: FleetClient): Promise<string[]> {
  const queues = client.queues().filter(({ name }) => name.startsWith(EXPORTS));
  const isPaused = await Promise.all(queues.map((queue) => queue.isPaused()));
  return queues.filter((_, index) => isPaused[index]).map(({ name }) => name.slice(EXPORTS.length));
}
