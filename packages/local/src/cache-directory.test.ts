import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { defaultCacheDirectory } from './cache-directory.ts';

test.each([
  { name: 'root', env: { XDG_CACHE_HOME: '/x' }, uid: 0, expected: '/var/cache/sluice' },
  { name: 'a user with an XDG cache', env: { XDG_CACHE_HOME: '/x' }, uid: 1000, expected: '/x/sluice' },
  { name: 'a user without one', env: {}, uid: 1000, expected: `${homedir()}/.cache/sluice` },
  { name: 'SLUICE_CACHE_DIR', env: { SLUICE_CACHE_DIR: '/mine' }, uid: 0, expected: '/mine' },
])('the cache directory of $name is $expected', ({ env, uid, expected }) => {
  expect(defaultCacheDirectory(env, uid)).toBe(expected);
});
