import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { exportQuery, type ExportRow } from '../support/test-stack.ts';

/** What SQL shows of an error. */
export interface CallError {
  code: string;
  message: string;
  detail: string;
  hint: string;
}

export type CallOutcome = { ms: number } & (
  { state: 'succeeded'; row: ExportRow } | { state: 'failed'; error: CallError } | { state: 'did not end' }
);

/** Runs an export and waits for its end, but no longer than `boundMs`. */
export async function call(
  session: pg.Client,
  { query, key, options }: { query: string; key: string; options: string },
  boundMs: number,
): Promise<CallOutcome> {
  const startedAt = performance.now();
  const ms = () => Math.round(performance.now() - startedAt);
  const waiting = new AbortController();
  const ended = exportQuery(session, query, key, options).then(
    (row): CallOutcome => ({ state: 'succeeded', row, ms: ms() }),
    (error: unknown): CallOutcome => ({ state: 'failed', error: readError(error), ms: ms() }),
  );
  const late = delay(boundMs, undefined, { signal: waiting.signal }).then(
    (): CallOutcome => ({ state: 'did not end', ms: ms() }),
    (): CallOutcome => ({ state: 'did not end', ms: ms() }),
  );
  try {
    return await Promise.race([ended, late]);
  } finally {
    waiting.abort();
  }
}

function readError(error: unknown): CallError {
  const { code = '', message = String(error), detail = '', hint = '' } = error as Partial<CallError>;
  return { code, message, detail, hint };
}
