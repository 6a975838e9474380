import { expect, test } from 'vitest';
import { nodeNotice } from './node-notice.ts';

test.each([
  ['v20.20.2', 'Node.js 20 works, but gets no security fixes any more: Node.js 22 or 24 does'],
  ['v22.23.3', undefined],
  ['v24.21.0', undefined],
  ['v100.0.0', undefined],
])('%s', (version, notice) => {
  expect(nodeNotice(version)).toBe(notice);
});
