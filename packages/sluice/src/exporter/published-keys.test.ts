import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { PublishedKeys } from './published-keys.ts';

const OBJECT = { bucket: 'b', key: 'k' };

function removeAt(keys: PublishedKeys, etag: string): Promise<unknown> {
  return keys.remove(OBJECT, etag, () => Promise.resolve('removed'));
}

describe('PublishedKeys', () => {
  it('lets nothing be removed while another export publishes to the key', async () => {
    const keys = new PublishedKeys();
    const other = await keys.begin(OBJECT);
    expect(await removeAt(keys, '"mine"')).toBe('busy');
    other.end({ isKnown: true });
    expect(await removeAt(keys, '"mine"')).toBe('removed');
  });

  it('spares what another export has stored, before or after, but not what is disowned', async () => {
    const keys = new PublishedKeys();
    const publish = async () => {
      const publication = await keys.begin(OBJECT);
      publication.stored('"same"');
      publication.end({ isKnown: true });
      return publication;
    };
    const [one, two] = await Promise.all([publish(), publish()]);
    one.disown();
    expect(await removeAt(keys, '"same"')).toBe('not-ours');
    expect(await removeAt(keys, '"different"')).toBe('removed');
    two.disown();
    expect(await removeAt(keys, '"same"')).toBe('removed');
  });

  it('lets an export begin to publish only when a removal from its key has ended, also badly', async () => {
    const keys = new PublishedKeys();
    let fail = (_reason: Error): void => undefined;
    const removing = keys.remove(OBJECT, '"x"', () => new Promise((_, reject) => (fail = reject)));
    let hasBegun = false;
    const begun = keys.begin(OBJECT).then(() => {
      hasBegun = true;
    });
    await keys.begin({ ...OBJECT, key: 'another' });
    expect(hasBegun).toBe(false);
    fail(new Error('S3 is down'));
    await expect(removing).rejects.toThrow('S3 is down');
    await begun;
  });

  it('remembers what is stored for a while, and as long as a removal is to be made', async () => {
    vi.useFakeTimers();
    try {
      const keys = new PublishedKeys();
      const release = keys.hold(OBJECT);
      const publication = await keys.begin(OBJECT);
      publication.stored('"x"');
      publication.end({ isKnown: true });
      vi.advanceTimersByTime(600_000);
      await keys.begin({ ...OBJECT, key: 'another' });
      expect(await removeAt(keys, '"x"')).toBe('not-ours');
      release();
      vi.advanceTimersByTime(600_000);
      await keys.begin({ ...OBJECT, key: 'a third' });
      expect(await removeAt(keys, '"x"')).toBe('removed');
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives up waiting when the export is aborted', async () => {
    const keys = new PublishedKeys();
    await expect(keys.begin(OBJECT, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
    expect(await removeAt(keys, '"x"')).toBe('removed');
  });

  it('has exports publish a key one after another', async () => {
    const keys = new PublishedKeys();
    const first = await keys.begin(OBJECT);
    const order: string[] = [];
    const second = keys.begin(OBJECT).then(() => order.push('second'));
    await delay(100);
    order.push('first');
    first.end({ isKnown: true });
    await second;
    expect(order).toEqual(['first', 'second']);
  });

  it.each([
    ['settled', 'settle'],
    ['not heard of for a few seconds', 'wait'],
  ])('lets an export begin to publish only when a lost request is %s', async (_, how) => {
    const keys = new PublishedKeys();
    const lost = await keys.begin(OBJECT);
    lost.end({ isKnown: false });
    let hasBegun = false;
    const begun = keys.begin(OBJECT).then(() => {
      hasBegun = true;
    });
    await keys.begin({ ...OBJECT, key: 'another' });
    await delay(200);
    expect(hasBegun).toBe(false);
    if (how === 'settle') lost.settle();
    await begun;
  });

  it('ends the waiting for a lost request with the signal', async () => {
    const keys = new PublishedKeys();
    (await keys.begin(OBJECT)).end({ isKnown: false });
    const signal = AbortSignal.timeout(100);
    await expect(keys.begin(OBJECT, { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
