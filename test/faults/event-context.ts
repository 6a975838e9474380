import type pg from 'pg';
import type { FaultStack } from './fault-stack.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What an event can act on. */
export interface EventContext {
  stack: FaultStack;
  /** The session of the export. */
  session: pg.Client;
  backendPid: number;
  random: SeededRandom;
  /** Registers a repair, which runs when the call is over. */
  afterCall: (repair: () => Promise<void>) => void;
}

export type Event = (context: EventContext) => Promise<void>;

export function backendPidOf(session: pg.Client): number {
  return (session as unknown as { processID: number }).processID;
}
