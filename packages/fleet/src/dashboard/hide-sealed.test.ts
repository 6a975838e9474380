import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { hideSealed } from './hide-sealed.ts';

const sealed = (bytes: number) => Buffer.concat([Buffer.of(1), randomBytes(bytes)]).toString('base64');

it('shows names, and of what is sealed only that it is', () => {
  for (let bytes = 28; bytes < 200; bytes += 1) expect(hideSealed(sealed(bytes))).toBe('sealed');
  expect(
    hideSealed({
      source: 'sales',
      sizes: [1, sealed(40)],
      request: sealed(300),
      more: { failure: sealed(50) },
    }),
  ).toEqual({
    source: 'sales',
    sizes: [1, 'sealed'],
    request: 'sealed',
    more: { failure: 'sealed' },
  });
  expect(hideSealed('s3://sample-bucket/sales/2026-11-25/manifest.json')).toBe(
    's3://sample-bucket/sales/2026-11-25/manifest.json',
  );
  expect(hideSealed(null)).toBeNull();
});
