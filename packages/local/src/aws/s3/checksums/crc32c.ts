import { makeCrcTables } from './crc-tables.ts';

/** The Castagnoli polynomial, bits reversed. */
const [T0, T1, T2, T3, T4, T5, T6, T7] = makeCrcTables(0x82f63b78n).low;

/** Computes a CRC-32C, or continues one (`previous`), eight bytes at a time. */
export function crc32c(bytes: Buffer, previous = 0): number {
  // DataView is twice as fast as Buffer's own methods.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let crc = ~previous;
  let position = 0;
  for (const end = bytes.length - 7; position < end; position += 8) {
    const low = view.getInt32(position, true) ^ crc;
    const high = view.getInt32(position + 4, true);
    crc =
      T7[low & 255]! ^
      T6[(low >>> 8) & 255]! ^
      T5[(low >>> 16) & 255]! ^
      T4[low >>> 24]! ^
      T3[high & 255]! ^
      T2[(high >>> 8) & 255]! ^
      T1[(high >>> 16) & 255]! ^
      T0[high >>> 24]!;
  }
  for (; position < bytes.length; position++) crc = T0[(crc ^ bytes[position]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
