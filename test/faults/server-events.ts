import { StandbyData } from '../support/standby.ts';
import type { Event, EventContext } from './event-context.ts';

/** The events that can happen to the whole PostgreSQL server. A standby is created by the code that makes the call. */
export const SERVER_EVENTS: readonly (readonly [weight: number, event: string])[] = [
  [3, 'kill -9 of the backend'],
  [2, 'fast shutdown'],
  [2, 'immediate shutdown'],
  [1, 'standby promoted'],
];

const EVENTS: ReadonlyMap<string, Event> = new Map<string, Event>([
  [
    'kill -9 of the backend',
    ({ stack, backendPid, afterCall }) => {
      // PostgreSQL ends all sessions and recovers.
      afterCall(() => stack.server.isUp());
      process.kill(backendPid, 'SIGKILL');
      return Promise.resolve();
    },
  ],
  ['fast shutdown', (context) => shutDown(context, 'SIGINT')],
  ['immediate shutdown', (context) => shutDown(context, 'SIGQUIT')],
  [
    'standby promoted',
    async ({ session }) => {
      const { host, port, user, password } = session as unknown as Record<
        'host' | 'user' | 'password',
        string
      > & {
        port: number;
      };
      const { default: pg } = await import('pg');
      const client = new pg.Client({ host, port, user, password, database: 'postgres' });
      client.on('error', () => undefined);
      await client.connect();
      await client.query('SELECT pg_promote(false)');
      await client.end();
    },
  ],
]);

export function serverEvent(name: string): Event | undefined {
  return EVENTS.get(name);
}

async function shutDown({ stack: { server }, afterCall }: EventContext, signal: 'SIGINT' | 'SIGQUIT') {
  const pid = await server.postmasterPid();
  afterCall(async () => {
    await server.ended();
    await server.restart();
  });
  process.kill(pid, signal);
}

/** A hot standby of the stack's server, for one run. */
export async function startStandby({ stack: { server } }: Pick<EventContext, 'stack'>) {
  process.kill(await server.postmasterPid(), 'SIGINT');
  await server.ended();
  const data = await StandbyData.copyOf(server.dataDirectory);
  await server.restart();
  const standby = await data.start(server.url);
  return {
    url: standby.url,
    stop: async () => {
      await standby.stop();
      await data.remove();
    },
  };
}
