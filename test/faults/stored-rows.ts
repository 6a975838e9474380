import { gunzipSync } from 'node:zlib';
import type { TestStack } from '../support/test-stack.ts';

/** The first bytes of a gzip member, which COPY's output does not begin with. */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * What COPY wrote into an object, decompressed where it is compressed.
 *
 * @throws also when a compressed object is not whole
 */
export async function storedRows(testStack: TestStack, key: string): Promise<Buffer> {
  const object = await testStack.object(key);
  return object.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC) ? gunzipSync(object) : object;
}
