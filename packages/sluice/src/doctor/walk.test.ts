import { describe, expect, it } from 'vitest';
import { SluiceError } from '../errors.ts';
import { Walk, type CheckResult, type Finding } from './walk.ts';

const well = (value: string): Finding<string> => ({ status: 'ok', found: 'well', value });

function newWalk(signal = new AbortController().signal): { walk: Walk; told: CheckResult[] } {
  const told: CheckResult[] = [];
  return { walk: new Walk({ signal, onResult: (result) => told.push(result) }), told };
}

describe('Walk', () => {
  it('gives later checks what earlier ones found, and tells each result once', async () => {
    const { walk, told } = newWalk();
    const one = await walk.check('one', {}, () => Promise.resolve(well('1')));
    await walk.check('two', { one }, (found) => Promise.resolve(well(`${found.one}2`)));
    expect(told).toEqual([
      { name: 'one', status: 'ok', found: 'well' },
      { name: 'two', status: 'ok', found: 'well' },
    ]);
    expect(walk.results).toEqual(told);
  });

  it('skips what needs a failed check, however far away, and names that one', async () => {
    const { walk, told } = newWalk();
    const one = await walk.check('one', {}, (): Promise<Finding<string>> => {
      throw new SluiceError('config_invalid', 'broken', { detail: 'In two.', hint: 'Mend it.' });
    });
    const two = await walk.check('two', { one }, () => Promise.resolve(well('2')));
    await walk.check('three', { two }, () => Promise.resolve(well('3')));
    expect(told).toEqual([
      { name: 'one', status: 'failed', found: 'broken: In two', mend: 'Mend it.' },
      { name: 'two', status: 'skipped', found: 'needs "one", which failed' },
      { name: 'three', status: 'skipped', found: 'needs "one", which failed' },
    ]);
  });

  it('skips what needs a check that was left out, for the same reason', async () => {
    const { walk } = newWalk();
    const one = await walk.check('one', {}, (): Promise<Finding<string>> =>
      Promise.resolve({ status: 'skipped', found: 'not wanted' }),
    );
    const two = await walk.check('two', { one }, () => Promise.resolve(well('2')));
    expect(two).toMatchObject({ status: 'skipped', found: 'not wanted' });
  });

  it('goes on after a warning, and after a check that was skipped as not needed', async () => {
    const { walk } = newWalk();
    const one = await walk.check('one', {}, () =>
      Promise.resolve({ ...well('1'), status: 'warning' as const }),
    );
    const two = await walk.check('two', {}, () =>
      Promise.resolve({ ...well('2'), status: 'skipped' as const }),
    );
    const three = await walk.check('three', { one, two }, () => Promise.resolve(well('3')));
    expect(three.status).toBe('ok');
  });

  it('ends when it is interrupted, but cleans up', async () => {
    const interruption = new AbortController();
    const { walk } = newWalk(interruption.signal);
    const begun = await walk.check('begin', {}, () => Promise.resolve(well('upload')));
    const broken = await walk.check('broken', {}, (): Promise<Finding<string>> => {
      interruption.abort();
      throw new Error('the connection was closed');
    });
    const next = await walk.check('next', { begun }, () => Promise.resolve(well('next')));
    const end = await walk.check('end', { begun }, () => Promise.resolve(well('end')), { cleansUp: true });
    expect(broken).toMatchObject({ status: 'failed', found: 'interrupted' });
    expect(next).toMatchObject({ status: 'skipped', found: 'interrupted' });
    expect(end.status).toBe('ok');
  });
});
