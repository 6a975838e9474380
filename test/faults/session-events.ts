import type pg from 'pg';
import { type Event, type EventContext } from './event-context.ts';
import { CAN_LIMIT, limitProcess } from './limit-process.ts';

/** The limit of a file's size: a segment of the write-ahead log (16 MiB) fits, a large temporary table does not. */
const DISK_BYTES = 17 * 1024 ** 2;

/** The events that can happen to one session. The first two are parts of the call itself. */
export const SESSION_EVENTS: readonly (readonly [weight: number, event: string])[] = [
  [3, 'query error'],
  [2, 'statement_timeout'],
  [4, 'pg_cancel_backend'],
  [2, 'pg_terminate_backend'],
  [2, 'client gone'],
  ...(CAN_LIMIT ? ([[1, 'disk full']] as const) : []),
];

const EVENTS: ReadonlyMap<string, Event> = new Map<string, Event>([
  ['pg_cancel_backend', (context) => signalBackend(context, 'pg_cancel_backend')],
  ['pg_terminate_backend', (context) => signalBackend(context, 'pg_terminate_backend')],
  [
    'client gone',
    async ({ session }) => {
      (session as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream.destroy();
      return Promise.resolve();
    },
  ],
  [
    'disk full',
    async ({ backendPid, afterCall }) => {
      await limitProcess(backendPid, 'fsize', DISK_BYTES);
      afterCall(() => limitProcess(backendPid, 'fsize', 'hard').catch(() => undefined));
    },
  ],
]);

export function sessionEvent(name: string): Event | undefined {
  return EVENTS.get(name);
}

async function signalBackend(
  { stack, backendPid }: EventContext,
  by: 'pg_cancel_backend' | 'pg_terminate_backend',
): Promise<void> {
  await stack.asSuperuser((superuser: pg.Client) => superuser.query(`SELECT ${by}($1)`, [backendPid]));
}
