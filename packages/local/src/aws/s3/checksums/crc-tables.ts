/** Eight tables of 256: entry `[n][byte]` is the CRC of the byte followed by n zero bytes. */
export type CrcTables = readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/**
 * Makes the tables for processing eight bytes at a time. A CRC of 64 bits is split into two halves of 32 bits, since
 * BigInt is a hundred times slower; for a CRC of 32 bits the upper half is zero.
 * @param polynomial with its bits reversed
 */
export function makeCrcTables(polynomial: bigint): { low: CrcTables; high: CrcTables } {
  const entries: bigint[][] = [[]];
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    entries[0]?.push(crc);
  }
  for (let zeros = 1; zeros < 8; zeros++) {
    entries.push(
      (entries[zeros - 1] ?? []).map((crc) => (entries[0]?.[Number(crc & 255n)] ?? 0n) ^ (crc >> 8n)),
    );
  }
  const table = (zeros: number, shift: bigint) =>
    Int32Array.from(entries[zeros] ?? [], (crc) => Number(BigInt.asIntN(32, crc >> shift)));
  const tables = (shift: bigint): CrcTables => [
    table(0, shift),
    table(1, shift),
    table(2, shift),
    table(3, shift),
    table(4, shift),
    table(5, shift),
    table(6, shift),
    table(7, shift),
  ];
  return { low: tables(0n), high: tables(32n) };
}
