import { contentRange, parseByteRange, type ByteRange } from './byte-range.ts';
import { checksumHeaders } from './checksum-headers.ts';
import { checkVersionId, findObject } from './find-object.ts';
import { attributeHeaders } from './object-attributes.ts';
import type { ObjectCall } from './operation.ts';
import { checkReadPreconditions } from './preconditions.ts';
import { readPartNumber } from './multipart/part-number.ts';
import { S3Error } from './s3-error.ts';
import type { StoredObject } from './storage/stored-object.ts';

/** The part of an object that GetObject sends and HeadObject describes. */
export interface ObjectPart {
  readonly object: StoredObject;
  readonly range: ByteRange;
  readonly status: 200 | 206;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Query parameters that set a header of the answer. */
const OVERRIDES = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

/**
 * Finds the object, checks the preconditions, and selects the range or the part number of the request. @throws S3Error
 */
export async function readObjectPart(call: ObjectCall): Promise<ObjectPart> {
  const { request } = call;
  checkVersionId(request.query.get('versionId'));
  const object = await findObject(call, call.bucket, call.key);
  checkReadPreconditions(request, object);

  const part = request.query.has('partNumber') ? findPart(call, object) : undefined;
  const range = part?.range ?? parseByteRange(request.header('range'), object.sizeBytes);
  const overrides = OVERRIDES.map((name) => [name, request.query.get(`response-${name}`)] as const);
  return {
    object,
    range: range ?? { offsetBytes: 0, sizeBytes: object.sizeBytes },
    status: range === undefined ? 200 : 206,
    headers: {
      'accept-ranges': 'bytes',
      'last-modified': new Date(object.lastModified).toUTCString(),
      etag: `"${object.etag}"`,
      ...attributeHeaders(object),
      ...Object.fromEntries(overrides.filter(([, value]) => value !== undefined)),
      'content-range': range === undefined ? undefined : contentRange(range, object.sizeBytes),
      'x-amz-mp-parts-count': part?.count === undefined ? undefined : String(part.count),
      ...readChecksumHeaders(call, object, range, part?.checksum),
    },
  };
}

interface FoundPart {
  readonly range: ByteRange | undefined;
  readonly count?: number;
  readonly checksum?: string | undefined;
}

function findPart(call: ObjectCall, object: StoredObject): FoundPart {
  if (call.request.header('range') !== undefined) {
    throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
  }
  const partNumber = readPartNumber(call.request);
  const parts = object.parts ?? [];
  // An object that was not uploaded in parts counts as one part.
  if (parts.length === 0 && partNumber === 1) {
    return { range: object.sizeBytes === 0 ? undefined : { offsetBytes: 0, sizeBytes: object.sizeBytes } };
  }
  const index = partNumber - 1;
  const part = parts[index];
  if (part === undefined) {
    throw new S3Error('InvalidPartNumber', 'The requested partnumber is not satisfiable', {
      details: {
        PartNumberRequested: String(partNumber),
        ActualPartCount: String(Math.max(parts.length, 1)),
      },
    });
  }
  const offsetBytes = parts.slice(0, index).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { range: { offsetBytes, sizeBytes: part.sizeBytes }, count: parts.length, checksum: part.checksum };
}

/**
 * Clients verify what they receive with this header, so it is sent only if it is of exactly the bytes that are sent.
 */
function readChecksumHeaders(
  call: ObjectCall,
  object: StoredObject,
  range: ByteRange | undefined,
  partChecksum: string | undefined,
): Record<string, string> {
  if (call.request.header('x-amz-checksum-mode')?.toUpperCase() !== 'ENABLED') return {};
  if (object.checksum === undefined) return {};
  if (partChecksum !== undefined) return checksumHeaders({ ...object.checksum, value: partChecksum });
  return range === undefined ? checksumHeaders(object.checksum) : {};
}
