import type { ReceivedBody, ReceiveOptions } from './body/receive-body.ts';
import type { BucketCall } from './operation.ts';
import type { Segment } from './storage/stored-object.ts';

/**
 * Writes the body of a request to disk. `keep` then makes it an object or a part, in one synchronous step; when the
 * body is refused, the connection ends or `keep` fails, what was written is removed.
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
