import { compareUtf8 } from '../storage/utf8-order.ts';
import type { MultipartUpload } from '../storage/stored-object.ts';

export interface ListUploadsOptions {
  readonly prefix: string;
  /** Empty when the request has none. */
  readonly delimiter: string;
  readonly keyMarker: string;
  /** With a key marker: the key's uploads after this one are listed, too. Empty: no upload of that key is. */
  readonly uploadIdMarker: string;
  readonly maxUploads: number;
}

export interface UploadPage {
  readonly uploads: readonly MultipartUpload[];
  readonly commonPrefixes: readonly string[];
  /** Where the next page begins, when there is one. For a common prefix there is no upload id. */
  readonly next: { readonly key: string; readonly uploadId: string } | undefined;
}

/** Lists open uploads by key, and those of one key in the order of their creation. */
export function listUploads(all: readonly MultipartUpload[], options: ListUploadsOptions): UploadPage {
  const { prefix, delimiter, keyMarker, maxUploads } = options;
  const sorted = all.filter(({ key }) => key.startsWith(prefix)).toSorted(compareUploads);
  const uploads: MultipartUpload[] = [];
  const commonPrefixes: string[] = [];
  let next: UploadPage['next'];
  for (const upload of sorted.filter((candidate) => isBehindMarker(candidate, options))) {
    const end = delimiter === '' ? -1 : upload.key.indexOf(delimiter, prefix.length);
    const commonPrefix = end === -1 ? undefined : upload.key.slice(0, end + delimiter.length);
    if (commonPrefix !== undefined && (commonPrefix === keyMarker || commonPrefix === commonPrefixes.at(-1)))
      continue;
    if (uploads.length + commonPrefixes.length >= maxUploads) return { uploads, commonPrefixes, next };
    if (commonPrefix === undefined) uploads.push(upload);
    else commonPrefixes.push(commonPrefix);
    next = commonPrefix === undefined ? upload : { key: commonPrefix, uploadId: '' };
  }
  return { uploads, commonPrefixes, next: undefined };
}

function isBehindMarker(
  { key, uploadId }: MultipartUpload,
  { keyMarker, uploadIdMarker }: ListUploadsOptions,
): boolean {
  const order = compareUtf8(key, keyMarker);
  return order > 0 || (order === 0 && uploadIdMarker !== '' && uploadId > uploadIdMarker);
}

/** Upload ids begin with the time. */
function compareUploads(a: MultipartUpload, b: MultipartUpload): number {
  return compareUtf8(a.key, b.key) || compareUtf8(a.uploadId, b.uploadId);
}
