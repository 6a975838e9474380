import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CleanupQueue, type CleanupTask } from './cleanup-queue.ts';

let lines: { level: number; msg: string; key?: string }[];
let queue: CleanupQueue;

beforeEach(() => {
  lines = [];
  queue = new CleanupQueue(pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }));
});
afterEach(() => queue.stop());

function task(run: CleanupTask['run']): CleanupTask {
  return { about: { key: 'k' }, failure: 'it is left', run };
}

describe('CleanupQueue', () => {
  it('tries again until it is done, and says a failure once', async () => {
    let runs = 0;
    queue.add(
      task(() => {
        runs++;
        return runs < 3 ? Promise.reject(new Error('denied')) : Promise.resolve(true);
      }),
    );
    await vi.waitFor(() => expect(runs).toBe(3), 10_000);
    expect(lines).toMatchObject([{ msg: 'it is left', key: 'k' }]);
  });

  it('does a few things at once, and all of them in the end', async () => {
    let running = 0;
    let most = 0;
    let done = 0;
    for (let index = 0; index < 50; index++) {
      queue.add(
        task(async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running--;
          done++;
          return true;
        }),
      );
    }
    await vi.waitFor(() => expect(done).toBe(50), 5_000);
    expect(most).toBe(4);
  });

  it('stops in the middle of anything, and takes nothing more', async () => {
    let runs = 0;
    const untilStopped = (signal: AbortSignal): Promise<boolean> => {
      runs++;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    for (let index = 0; index < 10; index++) queue.add(task(untilStopped));
    await vi.waitFor(() => expect(runs).toBe(4));
    await queue.stop();
    queue.add(task(untilStopped));
    expect(runs).toBe(4);
    expect(lines).toEqual([]);
  });
});
