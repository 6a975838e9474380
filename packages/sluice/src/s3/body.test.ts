import { expect, it } from 'vitest';
import { bodyLength, checksumOf } from './body.ts';

it('has the checksum and the length of its blocks together', () => {
  // The check value of CRC-32 (https://reveng.sourceforge.io/crc-catalogue/17plus.htm).
  const blocks = [Buffer.from('1234'), Buffer.alloc(0), Buffer.from('56789')];
  expect(checksumOf(blocks)).toBe(Buffer.from('cbf43926', 'hex').toString('base64'));
  expect(bodyLength(blocks)).toBe(9);
});
