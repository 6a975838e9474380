import { isIPv4 } from 'node:net';
import { TLSSocket } from 'node:tls';
import { connectTo } from '../../../source/connect.ts';
import type { SourceClient } from '../../../source/source-client.ts';
import { failedWith, type Finding } from '../../walk.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** Checks that the database lets an export in: the way there, TLS, the user and the password. */
export async function checkConnection(
  connectionString: string | undefined,
  { signal }: { signal: AbortSignal },
): Promise<Finding<SourceClient>> {
  const timeout = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
  let client: SourceClient;
  try {
    client = await connectTo({
      connectionString,
      applicationName: 'sluice doctor',
      signal: AbortSignal.any([signal, timeout]),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!timeout.aborted) return failedWith(error);
    return {
      status: 'failed',
      found: `no answer within ${CONNECT_TIMEOUT_MS / 1000} s`,
      mend: 'Is the way there open (firewall, security group, VPN), and is the host the right one?',
    };
  }
  const { user = '', host, port, database = '' } = client;
  const place = host.startsWith('/') ? host : `${host}:${port}`;
  const found = `database "${database}" at ${place} lets "${user}" in`;
  const { stream } = client.connection;
  if (stream instanceof TLSSocket) {
    const verified = stream.authorized ? 'verified' : 'not verified: sslmode=verify-full and sslrootcert do';
    return {
      status: 'ok',
      found: `${found}, with ${stream.getProtocol() ?? 'TLS'} (the server is ${verified})`,
      value: client,
    };
  }
  if (isOnThisMachine(host)) return { status: 'ok', found, value: client };
  return {
    status: 'warning',
    found: `${found}, without TLS: everybody on the way can read the rows`,
    mend: 'Give sslmode=verify-full, with sslrootcert if the authority is not a public one; the server may need ssl = on.',
    value: client,
  };
}

function isOnThisMachine(host: string): boolean {
  return (
    host.startsWith('/') ||
    host === 'localhost' ||
    host === '::1' ||
    (isIPv4(host) && host.startsWith('127.'))
  );
}
