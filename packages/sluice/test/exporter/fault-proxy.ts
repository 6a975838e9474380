import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A fault of the network or of S3, in a request. */
type Fault =
  /** Answers without asking S3, after reading the body. */
  | {
      do: 'answer';
      status: number;
      code?: string;
      message?: string;
      headers?: Record<string, string>;
      body?: string;
    }
  /** Answers as soon as the headers have arrived, and closes the connection while the body is still sent. */
  | { do: 'refuse-early'; status: number; code: string }
  /** Resets the connection as soon as the headers have arrived. */
  | { do: 'reset' }
  /** Passes the request to S3, and closes the connection before the answer. */
  | { do: 'lose-answer' }
  /** Passes the request to S3, and closes the connection in the middle of the answer. */
  | { do: 'cut-answer' }
  /** Passes the request to S3, and gives another answer, or none for a while. */
  | { do: 'swallow-answer'; instead: 'nothing' | 'empty' | 'error' }
  /** Reads the whole request, and passes it to S3 only when `until` is settled, even if the client has gone. */
  | { do: 'hold'; until: Promise<void> }
  /** Never answers; `reading` says whether the request is read. */
  | { do: 'stall'; reading: boolean }
  /** Reads the body slowly, then passes the request to S3. */
  | { do: 'slow'; bytesPerSecond: number };

export interface FaultProxy {
  readonly endpoint: string;
  /** The requests that have arrived, as `METHOD path?query`. */
  readonly seen: readonly string[];
  /** Applies the fault to the next `times` requests that match. */
  inject(matches: RegExp, fault: Fault, times?: number): void;
  openSockets(): Promise<number>;
  close(): Promise<void>;
}

/** Longer than the request timeouts of the tests. */
const STALL_MS = 2_000;

interface Rule {
  matches: RegExp;
  fault: Fault;
  times: number;
}

/** A reverse proxy to an S3. It passes requests unchanged, except where a fault is injected. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const rules: Rule[] = [];
  const seen: string[] = [];
  const agent = new http.Agent();

  const forward = (
    incoming: http.IncomingMessage,
    onAnswer: (answer: http.IncomingMessage) => void,
  ): http.ClientRequest =>
    http
      .request(
        { hostname, port, agent, method: incoming.method, path: incoming.url, headers: incoming.headers },
        onAnswer,
      )
      .on('error', () => incoming.destroy());

  const handle = async (incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const line = `${incoming.method ?? ''} ${incoming.url ?? ''}`;
    seen.push(line);
    const rule = rules.find(({ matches, times }) => times > 0 && matches.test(line));
    if (rule !== undefined) rule.times--;
    const fault = rule?.fault;
    switch (fault?.do) {
      case 'answer':
        for await (const chunk of incoming) void chunk;
        response.writeHead(fault.status, { 'content-type': 'application/xml', ...fault.headers });
        response.end(fault.body ?? errorBody(fault.code ?? 'InternalError', fault.message ?? 'injected'));
        return;
      case 'refuse-early':
        // A client that is still sending gets the reset, and loses the answer.
        response.writeHead(fault.status, { connection: 'close' });
        response.end(errorBody(fault.code, 'injected'), () => incoming.socket.resetAndDestroy());
        return;
      case 'reset':
        incoming.socket.destroy();
        return;
      case 'lose-answer':
      case 'cut-answer':
        incoming.pipe(
          forward(incoming, (answer) => {
            answer.resume();
            answer.on('end', () => {
              if (fault.do === 'cut-answer')
                response.writeHead(200, { 'content-length': 1000 }).write('<?xml');
              setImmediate(() => incoming.socket.destroy());
            });
          }),
        );
        return;
      case 'swallow-answer':
        incoming.pipe(
          forward(incoming, (answer) => {
            answer.resume();
            answer.on('end', () => {
              if (fault.instead === 'nothing') return;
              response.writeHead(fault.instead === 'empty' ? 200 : 500);
              response.end(fault.instead === 'empty' ? '' : errorBody('InternalError', 'injected'));
            });
          }),
        );
        return;
      case 'hold': {
        const body: Buffer[] = [];
        const held: AsyncIterable<Buffer> = incoming;
        for await (const chunk of held) body.push(chunk);
        await fault.until;
        const late = forward(incoming, (answer) => {
          if (!response.destroyed) response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        for (const chunk of body) late.write(chunk);
        late.end();
        return;
      }
      case 'stall':
        // If nothing is read, the end of the connection is not noticed either, so in the end it is read.
        setTimeout(() => incoming.resume(), fault.reading ? 0 : STALL_MS).unref();
        return;
      case 'slow':
      case undefined: {
        const outgoing = forward(incoming, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        response.on('close', () => outgoing.destroy());
        const chunks: AsyncIterable<Buffer> = incoming;
        for await (const chunk of chunks) {
          if (fault?.do === 'slow') await sleep((chunk.byteLength / fault.bytesPerSecond) * 1000);
          outgoing.write(chunk);
        }
        outgoing.end();
      }
    }
  };

  const server = http.createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.destroy());
  });
  server.on('checkContinue', (incoming: http.IncomingMessage, response: http.ServerResponse) => {
    const line = `${incoming.method ?? ''} ${incoming.url ?? ''}`;
    const rule = rules.find(({ matches, times }) => times > 0 && matches.test(line));
    if (rule?.fault.do === 'refuse-early') {
      seen.push(`${line} expecting 100-continue`);
      response.writeHead(rule.fault.status, { connection: 'close' });
      response.end(errorBody(rule.fault.code, 'injected'));
      return;
    }
    response.writeContinue();
    handle(incoming, response).catch(() => incoming.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    seen,
    inject: (matches, fault, times = Number.POSITIVE_INFINITY) => rules.push({ matches, fault, times }),
    openSockets: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}

function errorBody(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>`;
}
