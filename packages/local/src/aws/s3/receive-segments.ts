import type { ReceivedBody, ReceiveOptions } from './body/receive-body.ts';
import type { BucketCall } from './operation.ts';
import type { Segment } from './storage/stored-object.ts';

/**
 * Writes the body of a request to disk. Then `keep` makes an object or a part of it, synchronously. If the body is
 * refused, the connection ends or `keep` throws, the written files are removed.
 */
export async function receiveSegments<Result>(
  call: BucketCall,
  options: Omit<ReceiveOptions, 'write'>,
  keep: (body: ReceivedBody, segments: Segment[]) => Result,
): Promise<Result> {
  const writer = call.bucket.segments.newWriter();
  try {
    const body = await call.receiveBody({ ...options, write: (piece) => writer.write(piece) });
    return keep(body, await writer.finish());
  } catch (error) {
    await writer.discard();
    throw error;
  }
}
