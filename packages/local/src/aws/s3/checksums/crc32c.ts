import { makeCrcTables } from './crc-tables.ts';

/** The Castagnoli polynomial, bits reversed. */
const TABLES = makeCrcTables(0x82f63b78n, 32).low;

/** Continues a CRC-32C (0 to begin with) with more bytes; eight at a time. */
export function crc32c(bytes: Buffer, previous = 0): number {
  const table = TABLES;
  let crc = ~previous;
  let position = 0;
  for (const end = bytes.length - 7; position < end; position += 8) {
    const low = bytes.readInt32LE(position) ^ crc;
    const high = bytes.readInt32LE(position + 4);
    crc =
      table[1792 + (low & 255)]! ^
      table[1536 + ((low >>> 8) & 255)]! ^
      table[1280 + ((low >>> 16) & 255)]! ^
      table[1024 + (low >>> 24)]! ^
      table[768 + (high & 255)]! ^
      table[512 + ((high >>> 8) & 255)]! ^
      table[256 + ((high >>> 16) & 255)]! ^
      table[high >>> 24]!;
  }
  for (; position < bytes.length; position++) crc = table[(crc ^ bytes[position]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
