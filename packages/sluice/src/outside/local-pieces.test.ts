import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../errors.ts';
import { doPieces, type LocalPiecesOptions } from './local-pieces.ts';
import type { PieceJob, PieceResult } from './piece-job.ts';

const job = (id: number, estimatedBytes = 1): PieceJob => ({
  id,
  table: 0,
  sql: `COPY ${id}`,
  hasHeaderLine: false,
  key: `part-${id}`,
  estimatedBytes,
});
const resultOf = ({ id }: PieceJob): PieceResult => ({ id, rows: 1n, bytes: 1, files: [] });
const lost = () => new SluiceError('database_unavailable', 'the connection was lost', { retryable: true });

const inOrder = (ids: readonly number[]) => ids.toSorted((a, b) => a - b);

/** Sessions that do a piece as `read` says, and what they did. */
function sessions(read: (job: PieceJob, attempt: number, signal: AbortSignal) => Promise<void> | void) {
  const seen = { begun: [] as number[], done: [] as number[], retried: [] as number[], open: 0, most: 0 };
  const attempts = new Map<number, number>();
  const options: LocalPiecesOptions = {
    lanes: 2,
    open: async () => {
      seen.open += 1;
      seen.most = Math.max(seen.most, seen.open);
      await delay(1);
      return {
        read: async (piece, signal) => {
          seen.begun.push(piece.id);
          const attempt = (attempts.get(piece.id) ?? 0) + 1;
          attempts.set(piece.id, attempt);
          await delay(1);
          await read(piece, attempt, signal);
          return resultOf(piece);
        },
        close: () => {
          seen.open -= 1;
          return Promise.resolve();
        },
      };
    },
    onDone: ({ id }) => seen.done.push(id),
    onRetry: ({ id }) => seen.retried.push(id),
    signal: undefined,
  };
  return { seen, options };
}

describe('doPieces', () => {
  it('does each piece once, the largest first, with so many sessions', async () => {
    const { seen, options } = sessions(() => undefined);
    await doPieces([job(0, 1), job(1, 5), job(2, 3), job(3, 9), job(4, 7)], options);
    expect(seen.begun).toEqual([3, 4, 1, 2, 0]);
    expect(inOrder(seen.done)).toEqual([0, 1, 2, 3, 4]);
    expect(seen).toMatchObject({ open: 0, most: 2, retried: [] });
  });

  it('opens no more sessions than there are pieces', async () => {
    const { seen, options } = sessions(() => undefined);
    await doPieces([job(0)], { ...options, lanes: 8 });
    expect(seen.most).toBe(1);
  });

  it('begins a piece again with another session when its session was lost', async () => {
    const { seen, options } = sessions((piece, attempt) => {
      if (piece.id === 1 && attempt < 3) throw lost();
    });
    await doPieces([job(0), job(1), job(2)], options);
    expect(inOrder(seen.done)).toEqual([0, 1, 2]);
    expect(seen.retried).toEqual([1, 1]);
    expect(seen.open).toBe(0);
  });

  it('gives up after three attempts', async () => {
    const { seen, options } = sessions(() => {
      throw lost();
    });
    await expect(doPieces([job(0)], options)).rejects.toThrow('the connection was lost');
    expect(seen.begun).toEqual([0, 0, 0]);
    expect(seen.open).toBe(0);
  });

  it('ends the others when one fails, and throws its error', async () => {
    const aborted: unknown[] = [];
    const { seen, options } = sessions(async (piece, _attempt, signal) => {
      if (piece.id === 0) throw new Error('no');
      await delay(60_000, undefined, { signal }).catch((error: unknown) => {
        aborted.push(signal.reason);
        throw error;
      });
    });
    await expect(doPieces([job(0, 2), job(1, 2), job(2, 1)], options)).rejects.toThrow(/^no$/);
    expect(aborted).toMatchObject([{ message: 'no' }]);
    expect(inOrder(seen.begun)).toEqual([0, 1]);
    expect(seen.open).toBe(0);
  });

  it("throws the signal's reason, as it is", async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const { seen, options } = sessions(async (_piece, _attempt, signal) => {
      controller.abort(reason);
      await delay(60_000, undefined, { signal });
    });
    const running = doPieces([job(0), job(1)], { ...options, signal: controller.signal });
    await expect(running).rejects.toBe(reason);
    expect(seen.open).toBe(0);
  });
});
