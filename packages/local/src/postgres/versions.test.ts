import { expect, test } from 'vitest';
import { binariesPackage, postgresRelease } from './versions.ts';
import manifest from '../../package.json' with { type: 'json' };

test('the binaries that npm installs beside us are those of the newest version', () => {
  for (const [name, release] of Object.entries(manifest.optionalDependencies)) {
    expect(`${name} ${release}`).toBe(`${name} ${postgresRelease(18)}`);
  }
  expect(Object.keys(manifest.optionalDependencies)).toContain(binariesPackage('linux', 'x64'));
});

test('a platform without binaries is named', () => {
  expect(() => binariesPackage('win32', 'x64')).toThrow('there are no PostgreSQL binaries for win32-x64');
});
