/**
 * A CRC whose initial value and final XOR have all bits set, like zlib's. The polynomial's bits are in reversed order.
 */
export interface CrcFamily {
  readonly polynomial: bigint;
  readonly width: 32 | 64;
}

/** The CRC of a piece and its length; the pieces are in order. */
export interface CrcPiece {
  readonly crc: bigint;
  readonly sizeBytes: number;
}

/**
 * The CRC of a concatenation, from the CRCs and lengths of its pieces and without their bytes. After zlib's
 * crc32_combine: the CRC of `a` followed by n zero bytes is crc(a) * x^8n modulo the polynomial.
 */
export function combineCrcs(family: CrcFamily, pieces: Iterable<CrcPiece>): bigint {
  const shifts = new Map<number, bigint>();
  let combined = 0n;
  for (const { crc, sizeBytes } of pieces) {
    // Most parts of an object have the same size.
    let shift = shifts.get(sizeBytes);
    if (shift === undefined) {
      shift = powerOfX(family, 8n * BigInt(sizeBytes));
      shifts.set(sizeBytes, shift);
    }
    combined = multiply(family, shift, combined) ^ crc;
  }
  return combined;
}

/** x^exponent modulo the polynomial. In reversed bit order the highest bit is 1, and the next one is x. */
function powerOfX(family: CrcFamily, exponent: bigint): bigint {
  let result = 1n << BigInt(family.width - 1);
  let square = result >> 1n;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = multiply(family, square, result);
    square = multiply(family, square, square);
  }
  return result;
}

/** a * b modulo the polynomial. */
function multiply({ polynomial, width }: CrcFamily, a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let mask = 1n << BigInt(width - 1); mask > 0n; mask >>= 1n) {
    if ((a & mask) !== 0n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}
