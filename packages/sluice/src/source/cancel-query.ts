import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Client } from 'pg';

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: CancelRequest and SSLRequest. */
const CANCEL_REQUEST_CODE = 80877102;
const SSL_REQUEST_CODE = 80877103;
const SSL_ACCEPTED = 'S'.charCodeAt(0);

/** What a pg client knows of its connection beside what its types say. */
type ConnectedClient = Client & {
  processID?: number | null;
  secretKey?: number | null;
  sslNegotiation?: string;
};

/**
 * Asks the server to cancel what a client's session is doing, over a connection of its own: to the same address, as a
 * name may stand for several servers, and with the same TLS settings. Settles when the server has done so (it then closes
 * the connection), or has not after the timeout. Never rejects: a query that goes on has to be met otherwise anyway.
 */
export async function cancelQuery(
  client: ConnectedClient,
  { timeoutMs }: { timeoutMs: number },
): Promise<void> {
  const { processID, secretKey } = client;
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return;
  const socket = connectSocket(addressOf(client));
  const sockets: Socket[] = [socket];
  const timer = setTimeout(() => {
    for (const open of sockets) open.destroy();
  }, timeoutMs);
  try {
    await event(socket, 'connect');
    let open: Socket = socket;
    if (client.ssl) {
      open = await encrypt(socket, client);
      sockets.push(open);
    }
    open.resume();
    const closed = event(open, 'close');
    open.write(cancelRequest(processID, secretKey));
    await closed;
  } catch {
    // It is as if there were no cancel: the caller waits for the query's end, and then closes the connection.
  } finally {
    clearTimeout(timer);
    for (const open of sockets) open.destroy();
  }
}

function addressOf({
  host,
  port,
  connection,
}: ConnectedClient): { path: string } | { host: string; port: number } {
  if (host.startsWith('/')) return { path: `${host}/.s.PGSQL.${port}` };
  const { stream } = connection;
  const address = 'remoteAddress' in stream ? stream.remoteAddress : undefined;
  return { host: typeof address === 'string' ? address : host, port };
}

async function encrypt(socket: Socket, client: ConnectedClient): Promise<TLSSocket> {
  const { host, sslNegotiation } = client;
  const isDirect = sslNegotiation === 'direct';
  if (!isDirect) {
    socket.write(int32s(8, SSL_REQUEST_CODE));
    const [answer] = await event(socket, 'data');
    if (!Buffer.isBuffer(answer) || answer[0] !== SSL_ACCEPTED)
      throw new Error('the server does not support TLS');
  }
  const ssl: unknown = client.ssl;
  const settings: ConnectionOptions = typeof ssl === 'object' && ssl !== null ? ssl : {};
  const tls = connectTls({
    ...settings,
    // Which pg hides from those who list the settings.
    ...('key' in settings ? { key: settings.key } : {}),
    ...(isDirect ? { ALPNProtocols: ['postgresql'] } : {}),
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  await event(tls, 'secureConnect');
  return tls;
}

/** Waits for an event of a socket; rejects when it fails or is closed before. No error goes unheard afterwards. */
function event(socket: Socket, name: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    socket.once(name, (...values: unknown[]) => resolve(values));
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}

function cancelRequest(processID: number, secretKey: number): Buffer {
  return int32s(16, CANCEL_REQUEST_CODE, processID, secretKey);
}

function int32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeInt32BE(value, index * 4);
  return bytes;
}
