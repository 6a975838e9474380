import { once } from 'node:events';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { AwsFault } from './aws-fault.ts';
import type { AwsExchange } from './aws-exchange.ts';
import { changedAnswer } from './changed-answer.ts';
import { errorDocument } from './error-documents.ts';

/** A slow body is read in pieces of this size, with this pause after each. */
const SLOW_PIECE_BYTES = 256 * 1024;
const SLOW_PAUSE_MS = 10;

export interface Misbehaviour {
  incoming: IncomingMessage;
  response: ServerResponse;
  /** The body, if it was read already. */
  body: Buffer | undefined;
  exchange: Readonly<AwsExchange>;
  note: (changes: Partial<AwsExchange>) => void;
  connect: (onAnswer: (answer: IncomingMessage) => void) => ClientRequest;
}

/** Executes a request with a fault, or without one. */
export async function misbehave(fault: AwsFault | undefined, of: Misbehaviour): Promise<void> {
  const { incoming, response, exchange } = of;
  switch (fault?.do) {
    case 'answer':
      await discard(of);
      return answer(of, fault.status, errorDocument(exchange.operation, fault.code));
    case 'answer-early':
      response.setHeader('connection', 'close');
      answer(of, fault.status, errorDocument(exchange.operation, fault.code));
      response.once('finish', () => incoming.socket.destroySoon());
      return;
    case 'garbage':
      await discard(of);
      return answer(of, 200, '<html>a proxy that has something to say</html>');
    case 'reset':
      return reset(fault.when, of);
    case 'no-answer':
      if (fault.effect) await effect(of);
      else await discard(of);
      return;
    case 'error-body':
      if (fault.effect) await effect(of);
      else await discard(of);
      return answer(of, 200, errorDocument(exchange.operation, 'InternalError'));
    case 'dribble':
    case 'cut-answer':
    case 'empty-answer':
    case 'truncated-answer':
    case 'wrong-etag':
    case 'no-etag':
      return changedAnswer(fault.do, await effect(of), of);
    case 'slow-body':
    case 'damage-body':
    case undefined:
      return passOn(await effect(of, fault?.do), of);
    default:
      return fault satisfies never;
  }
}

/** The answer of the real AWS. */
export interface RealAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** Passes the request to AWS and gives its answer. Answers are short, since no operation here reads an object. */
async function effect(of: Misbehaviour, change?: 'slow-body' | 'damage-body'): Promise<RealAnswer> {
  const { outgoing, answered } = begin(of);
  let isDamaged = change !== 'damage-body';
  for await (const chunk of bodyOf(of)) {
    for (let start = 0; start < chunk.length; start += SLOW_PIECE_BYTES) {
      const piece = chunk.subarray(start, start + SLOW_PIECE_BYTES);
      if (!isDamaged) piece[0] = (piece[0] ?? 0) ^ 1;
      isDamaged = true;
      if (change === 'slow-body') await delay(SLOW_PAUSE_MS);
      if (!outgoing.write(piece)) await drained(outgoing, answered);
    }
  }
  of.note({ status: 'sent' });
  outgoing.end();
  const real = await answered;
  of.note({ status: real.status });
  return real;
}

async function drained(outgoing: ClientRequest, answered: Promise<RealAnswer>): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([once(outgoing, 'drain', { signal: over.signal }), answered]);
  } finally {
    over.abort();
  }
}

function begin(of: Misbehaviour): { outgoing: ClientRequest; answered: Promise<RealAnswer> } {
  let outgoing: ClientRequest | undefined;
  const answered = new Promise<RealAnswer>((resolve, reject) => {
    outgoing = of.connect((incoming) => {
      readAll(incoming).then(
        (body) => resolve({ status: incoming.statusCode ?? 502, headers: incoming.headers, body }),
        reject,
      );
    });
    outgoing.once('error', reject);
  });
  // It is awaited only after the body was sent; until then a rejection must not end the process.
  answered.catch(() => undefined);
  if (outgoing === undefined) throw new Error('no request was begun');
  return { outgoing, answered };
}

function passOn({ status, headers, body }: RealAnswer, { response, note }: Misbehaviour): void {
  if (response.destroyed) return;
  response.once('finish', () => note({ answered: true }));
  response.writeHead(status, headers);
  response.end(body);
}

async function reset(when: Extract<AwsFault, { do: 'reset' }>['when'], of: Misbehaviour): Promise<void> {
  // Saved here, because a request whose body is left unread loses its socket.
  const { socket } = of.incoming;
  switch (when) {
    case 'before the body':
      break;
    case 'in the body':
      for await (const _ of bodyOf(of)) break;
      break;
    case 'after the body':
      await discard(of);
      break;
    case 'after the effect':
      await effect(of);
      break;
    default:
      when satisfies never;
  }
  socket.resetAndDestroy();
}

function answer({ response }: Misbehaviour, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/xml',
    'content-length': String(Buffer.byteLength(body)),
    'x-amz-request-id': '4442587FB7D0A2F9',
  });
  response.end(body);
}

async function discard(of: Misbehaviour): Promise<void> {
  for await (const chunk of bodyOf(of)) void chunk;
}

function bodyOf({ body, incoming }: Misbehaviour): AsyncIterable<Buffer> | Iterable<Buffer> {
  return body === undefined ? (incoming as AsyncIterable<Buffer>) : [body];
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
