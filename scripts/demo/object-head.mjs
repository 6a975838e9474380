// The beginning of an S3 object, read back through the AWS SDK.
import { GetObjectCommand } from '@aws-sdk/client-s3';

const HEAD_BYTES = 800;
const DUMPED_BYTES = 128;
const LINE_LENGTH = 100;

/** @returns {Promise<{ contentType: string, totalBytes: number, shown: string }>} */
export async function readHead(s3, bucket, key) {
  const object = await s3.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=0-${HEAD_BYTES - 1}` }),
  );
  const bytes = Buffer.from(await object.Body.transformToByteArray());
  const totalBytes = Number(object.ContentRange.split('/')[1]);
  const isText = object.ContentType.startsWith('text/');
  return {
    contentType: object.ContentType,
    totalBytes,
    shown: isText ? textHead(bytes, totalBytes) : hexDump(bytes, totalBytes),
  };
}

function textHead(bytes, totalBytes) {
  const lines = bytes.toString('utf8').split('\n').map(shorten);
  const unfinished = lines.pop();
  if (bytes.length === totalBytes && unfinished === '') return lines.join('\n');
  return [...lines.slice(0, 4), '...'].join('\n');
}

const shorten = (line) => (line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH - 3)}...` : line);

/** In the format of `hexdump -C`. */
function hexDump(bytes, totalBytes) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, DUMPED_BYTES); at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'));
    const halves = [hex.slice(0, 8).join(' ').padEnd(23), hex.slice(8).join(' ').padEnd(23)];
    const letters = Array.from(row, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.'));
    lines.push(`${at.toString(16).padStart(8, '0')}  ${halves.join('  ')}  |${letters.join('')}|`);
  }
  if (DUMPED_BYTES < totalBytes) lines.push('...');
  return lines.join('\n');
}
