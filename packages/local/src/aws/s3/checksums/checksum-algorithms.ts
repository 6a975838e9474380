import type { CrcFamily } from './combine-crcs.ts';
import { CRC64_NVME_POLYNOMIAL } from './crc64-nvme.ts';
import type { DigestName } from './digest.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';

/** How the checksum of a multipart object is computed: from the parts' checksums, or from all its bytes. */
export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

export interface ChecksumAlgorithmTraits {
  readonly header: string;
  /** The name in XML. */
  readonly element: string;
  readonly digest: DigestName;
  readonly sizeBytes: number;
  /** The types that multipart uploads can have; the first is the default. */
  readonly multipartTypes: readonly ChecksumType[];
  /** Set if the full-object checksum can be computed from the parts' checksums. */
  readonly crc?: CrcFamily;
}

export const checksumAlgorithms: Readonly<Record<ChecksumAlgorithm, ChecksumAlgorithmTraits>> = {
  CRC32: {
    header: 'x-amz-checksum-crc32',
    element: 'ChecksumCRC32',
    digest: 'crc32',
    sizeBytes: 4,
    multipartTypes: ['COMPOSITE', 'FULL_OBJECT'],
    crc: { polynomial: 0xedb88320n, width: 32 },
  },
  CRC32C: {
    header: 'x-amz-checksum-crc32c',
    element: 'ChecksumCRC32C',
    digest: 'crc32c',
    sizeBytes: 4,
    multipartTypes: ['COMPOSITE', 'FULL_OBJECT'],
    crc: { polynomial: 0x82f63b78n, width: 32 },
  },
  CRC64NVME: {
    header: 'x-amz-checksum-crc64nvme',
    element: 'ChecksumCRC64NVME',
    digest: 'crc64nvme',
    sizeBytes: 8,
    multipartTypes: ['FULL_OBJECT'],
    crc: { polynomial: CRC64_NVME_POLYNOMIAL, width: 64 },
  },
  SHA1: {
    header: 'x-amz-checksum-sha1',
    element: 'ChecksumSHA1',
    digest: 'sha1',
    sizeBytes: 20,
    multipartTypes: ['COMPOSITE'],
  },
  SHA256: {
    header: 'x-amz-checksum-sha256',
    element: 'ChecksumSHA256',
    digest: 'sha256',
    sizeBytes: 32,
    multipartTypes: ['COMPOSITE'],
  },
};

export const checksumAlgorithmNames = [
  'CRC32',
  'CRC32C',
  'CRC64NVME',
  'SHA1',
  'SHA256',
] as const satisfies ChecksumAlgorithm[];

/** Reads `CRC32` or `crc32`; undefined for anything else. */
export function parseChecksumAlgorithm(text: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithmNames.find((name) => name === text.toUpperCase());
}

/** The algorithm of a header such as `x-amz-checksum-crc32`. */
export function checksumAlgorithmOfHeader(header: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithmNames.find((name) => checksumAlgorithms[name].header === header.toLowerCase());
}

/** Whether a header's value has the form of a checksum: base64 of the right length. */
export function isChecksumValue(algorithm: ChecksumAlgorithm, value: string): boolean {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === checksumAlgorithms[algorithm].sizeBytes && bytes.toString('base64') === value;
}
