import type { Redis } from 'ioredis';
import { isSluiceError, SluiceError } from 'sluice';
import { z } from 'zod';
import type { FleetClock } from './fleet-clock.ts';
import type { FleetKeys } from './fleet-names.ts';
import type { Seal } from './seal.ts';

const recordSchema = z.object({
  exportId: z.string(),
  bucket: z.string(),
  prefix: z.string(),
});

/** One time that an export is begun: its journal has what it may leave at S3. */
export interface Attempt extends z.output<typeof recordSchema> {
  /** Random. */
  token: string;
}

export interface AttemptContext {
  redis: Redis;
  clock: FleetClock;
  keys: FleetKeys;
  seal: Seal;
}

export function sealAttempt(seal: Seal, { token, ...record }: Attempt): string {
  return seal.seal('attempt', [token], record);
}

/**
 * Those that are under way, and those whose journal may still have entries.
 *
 * @param onForged told of each that this fleet has not noted
 */
export async function knownAttempts(
  { redis, keys, seal }: Pick<AttemptContext, 'redis' | 'keys' | 'seal'>,
  onForged: (token: string, error: unknown) => void,
): Promise<Attempt[]> {
  const records = Object.entries(await redis.hgetall(keys.attempts));
  return records.flatMap(([token, sealed]) => {
    try {
      return [{ token, ...recordSchema.parse(seal.open('attempt', [token], sealed)) }];
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      onForged(token, error);
      return [];
    }
  });
}

/** Whether an attempt still has its export. */
export async function isAlive(
  { redis, keys }: AttemptContext,
  { exportId, token }: Pick<Attempt, 'exportId' | 'token'>,
) {
  return (await redis.get(keys.lease(exportId))) === token;
}

/** What a member of an attempt is told that is over. */
export function attemptOver(): SluiceError {
  return new SluiceError('fleet_unavailable', 'the worker has lost its hold on the export', {
    detail: 'It could not reach Redis in time, or another worker has begun the export anew.',
    hint: 'Nothing of this attempt is published.',
    retryable: true,
  });
}
