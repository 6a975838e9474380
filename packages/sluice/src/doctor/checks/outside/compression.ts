import { hasZstd } from '../../../compression/zstd-stream.ts';
import type { Finding } from '../../walk.ts';

/** Checks which compression this Node.js has. */
export function checkCompression(): Finding {
  const node = `Node.js ${process.version.slice(1)}`;
  if (hasZstd()) return { status: 'ok', found: `gzip and zstd, with ${node}`, value: true };
  return {
    status: 'ok',
    found: `gzip; ${node} has no zstd, which 22.15 and newer have`,
    value: true,
  };
}
