import { makeCrcTables } from './crc-tables.ts';

/** The NVMe polynomial, bits reversed. */
export const CRC64_NVME_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

const { low: lowTables, high: highTables } = makeCrcTables(CRC64_NVME_POLYNOMIAL);
const [L0, L1, L2, L3, L4, L5, L6, L7] = lowTables;
const [H0, H1, H2, H3, H4, H5, H6, H7] = highTables;

/** CRC-64/NVME, in two halves of 32 bits. */
export class Crc64Nvme {
  #low = -1;
  #high = -1;

  update(bytes: Buffer): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let low = this.#low;
    let high = this.#high;
    let position = 0;
    for (const end = bytes.length - 7; position < end; position += 8) {
      const a = view.getInt32(position, true) ^ low;
      const b = view.getInt32(position + 4, true) ^ high;
      const a0 = a & 255;
      const a1 = (a >>> 8) & 255;
      const a2 = (a >>> 16) & 255;
      const a3 = a >>> 24;
      const b0 = b & 255;
      const b1 = (b >>> 8) & 255;
      const b2 = (b >>> 16) & 255;
      const b3 = b >>> 24;
      low = L7[a0]! ^ L6[a1]! ^ L5[a2]! ^ L4[a3]! ^ L3[b0]! ^ L2[b1]! ^ L1[b2]! ^ L0[b3]!;
      high = H7[a0]! ^ H6[a1]! ^ H5[a2]! ^ H4[a3]! ^ H3[b0]! ^ H2[b1]! ^ H1[b2]! ^ H0[b3]!;
    }
    for (; position < bytes.length; position++) {
      const entry = (low ^ bytes[position]!) & 255;
      low = L0[entry]! ^ ((low >>> 8) | (high << 24));
      high = H0[entry]! ^ (high >>> 8);
    }
    this.#low = low;
    this.#high = high;
  }

  digest(): Buffer {
    const digest = Buffer.alloc(8);
    digest.writeInt32BE(~this.#high, 0);
    digest.writeInt32BE(~this.#low, 4);
    return digest;
  }
}
