import { open } from 'node:fs/promises';

const TAIL_BYTES = 8192;

/** The last lines that were written to a log since `fromByte`. Empty when the log can't be read. */
export async function logTail(file: string, fromByte: number, lines = 15): Promise<string> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    const start = Math.max(fromByte, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - start)), {
      position: start,
    });
    return buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}
