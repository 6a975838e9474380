import { setTimeout as delay } from 'node:timers/promises';
import type { Misbehaviour, RealAnswer } from './misbehave.ts';

const DRIBBLE_PAUSE_MS = 1;

type Change = 'dribble' | 'cut-answer' | 'empty-answer' | 'truncated-answer' | 'wrong-etag' | 'no-etag';

/** Changes the answer of AWS, or the way in which it is sent to the agent. */
export async function changedAnswer(change: Change, real: RealAnswer, of: Misbehaviour): Promise<void> {
  const { response, incoming, note } = of;
  const { status, headers, body } = real;
  if (response.destroyed) return;
  switch (change) {
    case 'dribble': {
      response.once('finish', () => note({ answered: true }));
      response.writeHead(status, headers);
      for (const byte of body) {
        response.write(Buffer.of(byte));
        await delay(DRIBBLE_PAUSE_MS);
      }
      response.end();
      return;
    }
    case 'cut-answer':
      response.writeHead(status, { ...headers, 'content-length': String(body.length + 1) });
      response.write(body.subarray(0, Math.ceil(body.length / 2)), () => incoming.socket.destroySoon());
      return;
    case 'empty-answer':
      return give(of, 200, {}, Buffer.alloc(0));
    case 'truncated-answer':
      return give(of, status, headers, body.subarray(0, Math.floor(body.length / 2)));
    case 'wrong-etag':
      return give(of, status, wrongHeaders(headers), Buffer.from(wrongText(body.toString('utf8'))));
    case 'no-etag': {
      const { etag: _etag, ...others } = headers;
      return give(of, status, others, Buffer.from(body.toString('utf8').replace(/<ETag>.*?<\/ETag>/s, '')));
    }
    default:
      change satisfies never;
  }
}

function give(
  { response, incoming }: Misbehaviour,
  status: number,
  headers: RealAnswer['headers'],
  body: Buffer,
) {
  const { 'transfer-encoding': _chunked, ...others } = headers;
  // The answer to a HEAD has the length of the object, and no body.
  const length = incoming.method === 'HEAD' ? {} : { 'content-length': String(body.length) };
  response.writeHead(status, { ...others, ...length });
  response.end(body);
}

const WRONG_ETAG = '"00000000000000000000000000000000"';

function wrongHeaders(headers: RealAnswer['headers']): RealAnswer['headers'] {
  return {
    ...headers,
    ...(headers['etag'] === undefined ? {} : { etag: WRONG_ETAG }),
    ...(headers['x-amz-checksum-crc32'] === undefined ? {} : { 'x-amz-checksum-crc32': 'AAAAAA==' }),
  };
}

function wrongText(xml: string): string {
  return xml.replace(/<ETag>.*?<\/ETag>/s, `<ETag>${WRONG_ETAG.replaceAll('"', '&quot;')}</ETag>`);
}
