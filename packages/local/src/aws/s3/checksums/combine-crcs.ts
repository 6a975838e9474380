/** A CRC whose start value and final XOR are all ones, as zlib's; the polynomial has its bits reversed. */
export interface CrcFamily {
  readonly polynomial: bigint;
  readonly width: 32 | 64;
}

/** One after another: the CRC of a piece and its length. */
export interface CrcPiece {
  readonly crc: bigint;
  readonly sizeBytes: number;
}

/**
 * The CRC of the concatenation of pieces whose CRCs are known, without reading them. After zlib's crc32_combine: the
 * CRC of `a` followed by n zero bytes is crc(a) * x^8n modulo the polynomial.
 */
export function combineCrcs(family: CrcFamily, pieces: Iterable<CrcPiece>): bigint {
  const shifts = new Map<number, bigint>();
  let combined = 0n;
  for (const { crc, sizeBytes } of pieces) {
    // Parts are mostly of one size.
    let shift = shifts.get(sizeBytes);
    if (shift === undefined) {
      shift = powerOfX(family, 8n * BigInt(sizeBytes));
      shifts.set(sizeBytes, shift);
    }
    combined = multiply(family, shift, combined) ^ crc;
  }
  return combined;
}

/** x^exponent modulo the polynomial. With reversed bits, 1 is the uppermost bit and x the next. */
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
