import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/**
 * A port of 127.0.0.1 that is free at the moment. Another program may take it before it is used; callers must then try
 * again.
 */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

/** The preferred port if it is free (zero: none is preferred), else any free one. */
export async function choosePort(preferred: number): Promise<number> {
  return preferred !== 0 && !(await isPortTaken(preferred)) ? preferred : findFreePort();
}

/** Whether somebody answers on a port of 127.0.0.1. */
export function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const answer = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.setTimeout(2000, () => answer(true));
  });
}
