import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { errnoOf, isSluiceError, SluiceError } from '../errors.ts';
import * as backend from './pg-protocol/backend-messages.ts';
import { FrontendReader, type FrontendMessage } from './pg-protocol/frontend-reader.ts';
import type { ReadRequest } from './parser/parse-job.ts';
import { encodeAnswer, parseRequest, type AgentRequest } from './request.ts';
import { toSqlError } from './sql-state.ts';

/** A query of a million characters, in hexadecimal, and room around it. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const NO_DATABASE = 'this is the Sluice agent, not a database';
const STARTUP_TIMEOUT_MS = 10_000;
/** A connection without an export is there for one request; its next one must be whole within this time. */
const REQUEST_TIMEOUT_MS = 60_000;
/** How the extension gives the key of its connection, which its begin must have: sluice.connect. */
const KEY_OPTION = /^-c sluice\.key=([0-9a-f]{64})$/;

/** Decoding a longer request takes more than a millisecond, in which no other connection is served. */
const LONG_REQUEST_BYTES = 128 * 1024;

/** Serves the requests of one connection, one after another. */
export interface RequestHandler {
  handle(request: AgentRequest): Promise<object>;
  /** Reads a long request elsewhere. */
  readLong(text: Uint8Array): Promise<ReadRequest>;
  /** An export may take as long as its query does; a connection without one may not. */
  readonly hasExport: boolean;
  /** Nobody waits for the answer to the request that is being served. */
  lost(): void;
  /** The connection is gone. */
  close(): Promise<void>;
}

/**
 * One connection of PostgreSQL (dblink) to the agent: the subset of PostgreSQL's protocol that it needs.
 * No password is ever asked for: dblink refuses a connection without one to everybody but superusers.
 * Source: https://www.postgresql.org/docs/current/protocol-flow.html
 */
export async function serveConnection(
  socket: Socket,
  handler: RequestHandler,
  log: Logger,
  agentVersion: string,
): Promise<void> {
  const reader = new FrontendReader(MAX_MESSAGE_BYTES);
  let deadline = setTimeout(() => socket.destroy(), STARTUP_TIMEOUT_MS).unref();
  /** Undefined: the connection is not of the extension, or of one before 1.2.1. */
  let key: string | undefined;
  try {
    // Left open when a message is refused, so that its sender learns why.
    const chunks: AsyncIterator<Buffer> = socket.iterator({ destroyOnReturn: false });
    // While requests are answered the next are read already, which tells whether anybody waits for the answers.
    let next = receive(chunks, reader, handler);
    for (let messages = await next; messages !== undefined; messages = await next) {
      next = receive(chunks, reader, handler);
      // It is waited for above, but later.
      next.catch(() => handler.lost());
      for (const message of messages) {
        clearTimeout(deadline);
        if (message.type === 'terminate' || message.type === 'cancel-request') return;
        if (message.type === 'startup') key = KEY_OPTION.exec(message.parameters.get('options') ?? '')?.[1];
        const pieces = await answer(message, handler, { agentVersion, key });
        socket.cork();
        for (const piece of pieces) socket.write(piece);
        socket.uncork();
        if (!handler.hasExport) deadline = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS).unref();
        await drained(socket);
      }
    }
  } catch (error) {
    if (isSluiceError(error)) {
      const { sqlstate: sqlState, ...rest } = toSqlError(error);
      socket.write(backend.errorResponse({ severity: 'FATAL', sqlState, ...rest }));
      log.warn({ err: error }, 'a connection was refused');
    } else if (errnoOf(error) !== 'ECONNRESET') {
      throw error;
    }
  } finally {
    clearTimeout(deadline);
    socket.destroySoon();
    await handler.close();
  }
}

/** Answers that nobody reads must not pile up: waits until the operating system has taken them, or the client is gone. */
async function drained(socket: Socket): Promise<void> {
  if (!socket.writableNeedDrain || socket.closed) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      socket.off('drain', end).off('close', end);
      resolve();
    };
    socket.on('drain', end).on('close', end);
  });
}

/** @returns undefined when the client is gone */
async function receive(
  chunks: AsyncIterator<Buffer>,
  reader: FrontendReader,
  handler: RequestHandler,
): Promise<FrontendMessage[] | undefined> {
  const chunk = await chunks.next();
  const messages = chunk.done === true ? undefined : [...reader.read(chunk.value)];
  if (messages === undefined || messages.some(({ type }) => type === 'terminate')) handler.lost();
  return messages;
}

async function answer(
  message: FrontendMessage,
  handler: RequestHandler,
  { agentVersion, key }: { agentVersion: string; key: string | undefined },
): Promise<Buffer[]> {
  switch (message.type) {
    case 'encryption-request':
      return [backend.encryptionRefused];
    case 'startup':
      return [
        ...(message.minorVersion > 0 ? [backend.negotiateProtocolVersion()] : []),
        backend.authenticationOk,
        backend.parameterStatus('server_version', `14.0 (Sluice ${agentVersion})`),
        backend.parameterStatus('server_encoding', 'UTF8'),
        backend.parameterStatus('client_encoding', message.parameters.get('client_encoding') ?? 'UTF8'),
        backend.parameterStatus('standard_conforming_strings', 'on'),
        backend.readyForQuery,
      ];
    case 'query':
      return [...(await answerQuery(message.text, handler, key)), backend.readyForQuery];
    default:
      return [notSupported('only simple queries are answered here'), backend.readyForQuery];
  }
}

async function answerQuery(
  bytes: Buffer,
  handler: RequestHandler,
  key: string | undefined,
): Promise<Buffer[]> {
  try {
    const read =
      bytes.length > LONG_REQUEST_BYTES
        ? await handler.readLong(bytes)
        : { request: parseRequest(bytes.toString('utf8')) };
    if ('answer' in read) return backend.oneTextValue('answer', read.answer);
    const { request } = read;
    if (request?.op === 'begin' && request.key !== key) {
      throw new SluiceError('protocol_violation', 'an export can only be begun by who opened the connection');
    }
    if (request !== undefined)
      return backend.oneTextValue('answer', encodeAnswer(await handler.handle(request)));
  } catch (error) {
    return backend.oneTextValue('answer', encodeAnswer({ error: toSqlError(error) }));
  }
  if (bytes.length > LONG_REQUEST_BYTES) return [notSupported(NO_DATABASE)];
  const text = bytes.toString('utf8');
  // What dblink sends by itself, to have text in the database's encoding. Requests and answers are ASCII: any will do.
  const encoding = /^\s*set client_encoding to '([^']*)'/i.exec(text)?.[1];
  if (encoding !== undefined) {
    return [backend.parameterStatus('client_encoding', encoding), backend.commandComplete('SET')];
  }
  return [text.trim() === '' ? backend.emptyQueryResponse : notSupported(NO_DATABASE)];
}

function notSupported(message: string): Buffer {
  return backend.errorResponse({
    severity: 'ERROR',
    sqlState: '0A000', // feature_not_supported
    message,
    hint: 'Call aws_s3.query_export_to_s3 in a database; its extension talks to the agent.',
  });
}
