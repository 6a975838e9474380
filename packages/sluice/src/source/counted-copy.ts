import type { CopyOut } from './copy-out.ts';

/** The chunks of a COPY, of each of which is told how much there was so far. */
export async function* countedCopy(
  copy: CopyOut,
  tell: (soFar: { rows: number; bytes: number }) => void,
): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  for await (const chunk of copy) {
    bytes += chunk.byteLength;
    tell({ rows: copy.rowsSoFar, bytes });
    yield chunk;
  }
}
