/** Tables for eight bytes at a time: entry `256 * n + byte` is the CRC of the byte followed by n zero bytes. */
export interface CrcTables {
  readonly low: Int32Array;
  /** The upper halves; all zero for CRCs of 32 bits. */
  readonly high: Int32Array;
}

/** @param polynomial with its bits reversed */
export function makeCrcTables(polynomial: bigint, width: 32 | 64): CrcTables {
  const first: bigint[] = [];
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    first.push(crc);
  }
  const low = new Int32Array(8 * 256);
  const high = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = first[byte] ?? 0n;
    for (let zeros = 0; zeros < 8; zeros++) {
      low[256 * zeros + byte] = Number(BigInt.asIntN(32, crc));
      high[256 * zeros + byte] = width === 64 ? Number(BigInt.asIntN(32, crc >> 32n)) : 0;
      crc = (first[Number(crc & 255n)] ?? 0n) ^ (crc >> 8n);
    }
  }
  return { low, high };
}
