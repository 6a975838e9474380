import { describe, expect, it } from 'vitest';
import { AwsChunkedDecoder } from './aws-chunked-decoder.ts';

function decode(body: string, pieceBytes = 1): { data: string; trailers: Record<string, string> } {
  const decoder = new AwsChunkedDecoder();
  let data = '';
  for (let position = 0; position < body.length; position += pieceBytes) {
    for (const piece of decoder.decode(Buffer.from(body.slice(position, position + pieceBytes))))
      data += piece.toString();
  }
  decoder.end();
  return { data, trailers: Object.fromEntries(decoder.trailers) };
}

describe('AwsChunkedDecoder', () => {
  const body = '5\r\nhello\r\nA\r\n, world...\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\nX-Other: a:b\r\n\r\n';

  it.each([1, 2, 3, 7, 1000])('decodes a body that arrives in pieces of %i', (pieceBytes) => {
    expect(decode(body, pieceBytes)).toEqual({
      data: 'hello, world...',
      trailers: { 'x-amz-checksum-crc32': 'NhCmhg==', 'x-other': 'a:b' },
    });
  });

  it('takes an empty body, and one without the last empty line', () => {
    expect(decode('0\r\n\r\n').data).toBe('');
    expect(decode('1\r\nx\r\n0\r\n').data).toBe('x');
  });

  it.each([
    ['5\r\nhel', 'unexpectedly'],
    ['5\r\nhello\r\n', 'unexpectedly'],
    ['5\r\nhello!\r\n', 'longer than its size'],
    ['-5\r\nhello\r\n', 'size of a chunk'],
    ['0\r\n\r\nmore', 'after the end'],
    [`${'1'.repeat(5000)}\r\n`, 'too long'],
    ['0\r\nno colon\r\n\r\n', 'trailing data'],
  ])('refuses %j', (broken, message) => {
    expect(() => decode(broken, 1000)).toThrow(message);
  });
});
