import { describe, expect, it } from 'vitest';
import { PartScheduler } from './part-scheduler.ts';

const never = new Promise<never>(() => undefined);

/** A task that ends when it is told to. */
function controlledTask(): { task: () => Promise<void>; end: () => void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { task: () => ended, end };
}

describe('PartScheduler', () => {
  it('starts no more tasks than its limit', async () => {
    const scheduler = new PartScheduler({ partsInFlight: 2 });
    const [one, two, three] = [controlledTask(), controlledTask(), controlledTask()];
    await scheduler.start(one.task);
    await scheduler.start(two.task);
    let started = false;
    const third = scheduler.start(() => {
      started = true;
      return three.task();
    });
    await Promise.resolve();
    expect(started).toBe(false);
    two.end();
    await third;
    expect(started).toBe(true);
    expect(scheduler.inFlight).toBe(2);
    one.end();
    three.end();
    await scheduler.settled();
    expect(scheduler.inFlight).toBe(0);
  });

  it('ends a wait, aborts the other tasks and starts none after the first failure', async () => {
    const scheduler = new PartScheduler({ partsInFlight: 3 });
    const first = new Error('first');
    let aborted = false;
    await scheduler.start(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('second'));
          });
        }),
    );
    const waiting = scheduler.wait(never);
    await scheduler.start(() => Promise.reject(first));
    await expect(waiting).rejects.toBe(first);
    await scheduler.settled();
    expect(aborted).toBe(true);
    await expect(scheduler.start(() => Promise.resolve())).rejects.toBe(first);
    await expect(scheduler.wait(Promise.reject(new Error('late')))).rejects.toBe(first);
    expect(() => scheduler.throwIfFailed()).toThrow(first);
  });

  it('tells of a failure whose error is undefined', async () => {
    const scheduler = new PartScheduler({ partsInFlight: 1 });
    scheduler.fail(undefined);
    await expect(scheduler.wait(never)).rejects.toBeUndefined();
  });
});
