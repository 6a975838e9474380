import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { crc32c } from './crc32c.ts';
import { Crc64Nvme } from './crc64-nvme.ts';

/**
 * What can be computed over a body. Measured on one core: crc32 (native) 3.9 GB/s, sha1 and sha256 1.5, md5 0.6,
 * crc32c and crc64nvme (JavaScript) several hundred MB/s.
 */
export type DigestName = 'md5' | 'sha1' | 'sha256' | 'crc32' | 'crc32c' | 'crc64nvme';

export interface Digest {
  update(bytes: Buffer): void;
  /** The digest; after it no more bytes may be added. CRCs are big-endian. */
  digest(): Buffer;
}

export function createDigest(name: DigestName): Digest {
  switch (name) {
    case 'md5':
    case 'sha1':
    case 'sha256': {
      const hash = createHash(name);
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
    }
    case 'crc32':
      return new Crc32Digest(crc32);
    case 'crc32c':
      return new Crc32Digest(crc32c);
    case 'crc64nvme':
      return new Crc64Nvme();
    default:
      return name satisfies never;
  }
}

class Crc32Digest implements Digest {
  readonly #advance: (bytes: Buffer, previous: number) => number;
  #crc = 0;

  constructor(advance: (bytes: Buffer, previous: number) => number) {
    this.#advance = advance;
  }

  update(bytes: Buffer): void {
    this.#crc = this.#advance(bytes, this.#crc);
  }

  digest(): Buffer {
    const digest = Buffer.alloc(4);
    digest.writeUInt32BE(this.#crc);
    return digest;
  }
}
