import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownSessionName, sessionName } from './session-name.ts';

const STS_PATTERN = /^[A-Za-z0-9_+=,.@-]{2,64}$/;

describe('sessionName', () => {
  it('says which database role of which cluster exports', () => {
    expect(sessionName('my-db-cluster', 'report_user')).toBe('report_user@my-db-cluster');
  });

  it.each([
    ['two words', /^two-words=[0-9a-f]{12}@c$/],
    ['', /^=[0-9a-f]{12}@c$/],
    ['Zoë\n"; DROP', /^Zo-----DROP=[0-9a-f]{12}@c$/],
    ['admin@c', /^admin-c=[0-9a-f]{12}@c$/],
    ['=role-check', /^-role-check=[0-9a-f]{12}@c$/],
    ['x'.repeat(63), /^x{49}=[0-9a-f]{12}@c$/],
  ])('makes one that STS takes of %j', (role, pattern) => {
    expect(sessionName('c', role)).toMatch(pattern);
    expect(sessionName('c', role)).toMatch(STS_PATTERN);
  });

  it('is one that STS takes for every name, and another for every role', () => {
    const cluster = fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/);
    const role = fc.string({ unit: 'grapheme', maxLength: 63 });
    fc.assert(
      fc.property(cluster, role, role, (name, one, other) => {
        expect(sessionName(name, one)).toMatch(STS_PATTERN);
        expect(sessionName(name, one) === sessionName(name, other)).toBe(one === other);
        expect(sessionName(name, one)).not.toBe(ownSessionName(name, 'role-check'));
      }),
    );
  });

  it('keeps the names of clusters apart that begin alike', () => {
    const longName = 'a'.repeat(40);
    expect(sessionName(`${longName}1`, 'r')).not.toBe(sessionName(`${longName}2`, 'r'));
  });
});
