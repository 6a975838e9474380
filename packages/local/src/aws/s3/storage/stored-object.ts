import type { ChecksumAlgorithm, ChecksumType } from '../checksums/checksum-algorithms.ts';

/** A range of bytes in a file of the bucket's data directory. */
export interface Segment {
  /** The file's random name; it is not derived from the key. */
  readonly file: string;
  /** Set for copied ranges only. @default 0 */
  readonly offsetBytes?: number;
  readonly sizeBytes: number;
}

export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** COMPOSITE: the checksum of the parts' checksums, shown as `<base64>-<parts>`. */
  readonly type: ChecksumType;
  /** As shown in headers. */
  readonly value: string;
}

/** The attributes that a client gave to an object, which are returned with it. */
export interface ObjectAttributes {
  /** Content-Type, Cache-Control and so on, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** x-amz-meta-*, without the prefix. */
  readonly userMetadata: Readonly<Record<string, string>>;
  /** The x-amz-server-side-encryption* headers of the answer. */
  readonly encryption: Readonly<Record<string, string>>;
  readonly storageClass?: string;
  /** As in the x-amz-tagging header: a query string. */
  readonly tagging?: string;
}

export interface StoredObject extends ObjectAttributes {
  readonly key: string;
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly lastModified: number;
  /** Concatenated, they are the object. */
  readonly segments: readonly Segment[];
  readonly checksum?: StoredChecksum;
  /** Of objects made by a multipart upload, in order. */
  readonly parts?: readonly CompletedPart[];
  /** The multipart upload that made the object: a repeated CompleteMultipartUpload gets the same answer. */
  readonly uploadId?: string;
}

interface CompletedPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  /** The value, base64, of the object's checksum algorithm. */
  readonly checksum?: string;
}

export interface MultipartUpload extends ObjectAttributes {
  readonly uploadId: string;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly initiated: number;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
}

export interface UploadedPart {
  readonly partNumber: number;
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModified: number;
  readonly segments: readonly Segment[];
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
}
