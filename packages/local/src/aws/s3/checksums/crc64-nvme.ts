import { makeCrcTables } from './crc-tables.ts';

/** The NVMe polynomial, bits reversed. */
export const CRC64_NVME_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

const { low: LOW, high: HIGH } = makeCrcTables(CRC64_NVME_POLYNOMIAL, 64);

/** CRC-64/NVME in two halves of 32 bits, since BigInt is a hundred times slower. */
export class Crc64Nvme {
  #low = -1;
  #high = -1;

  update(bytes: Buffer): void {
    let low = this.#low;
    let high = this.#high;
    let position = 0;
    for (const end = bytes.length - 7; position < end; position += 8) {
      const a = bytes.readInt32LE(position) ^ low;
      const b = bytes.readInt32LE(position + 4) ^ high;
      const at0 = 1792 + (a & 255);
      const at1 = 1536 + ((a >>> 8) & 255);
      const at2 = 1280 + ((a >>> 16) & 255);
      const at3 = 1024 + (a >>> 24);
      const at4 = 768 + (b & 255);
      const at5 = 512 + ((b >>> 8) & 255);
      const at6 = 256 + ((b >>> 16) & 255);
      const at7 = b >>> 24;
      low = LOW[at0]! ^ LOW[at1]! ^ LOW[at2]! ^ LOW[at3]! ^ LOW[at4]! ^ LOW[at5]! ^ LOW[at6]! ^ LOW[at7]!;
      high =
        HIGH[at0]! ^ HIGH[at1]! ^ HIGH[at2]! ^ HIGH[at3]! ^ HIGH[at4]! ^ HIGH[at5]! ^ HIGH[at6]! ^ HIGH[at7]!;
    }
    for (; position < bytes.length; position++) {
      const at = (low ^ bytes[position]!) & 255;
      low = LOW[at]! ^ ((low >>> 8) | (high << 24));
      high = HIGH[at]! ^ (high >>> 8);
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
