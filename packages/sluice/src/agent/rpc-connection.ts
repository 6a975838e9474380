import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { errnoOf, isSluiceError, SluiceError } from '../errors.ts';
import * as backend from './pg-protocol/backend-messages.ts';
import { FrontendReader, type FrontendMessage } from './pg-protocol/frontend-reader.ts';
import type { ReadRequest } from './parser/parse-job.ts';
import { encodeAnswer, parseRequest, type AgentRequest } from './request.ts';
import { toSqlError } from './sql-state.ts';

/** Room for a query of a million bytes in hexadecimal, and for the rest of its request. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const NO_DATABASE = 'this is the Sluice agent, not a database';
const STARTUP_TIMEOUT_MS = 10_000;
/**
 * A connection without an export serves single requests; the next one must have arrived completely within this time.
 */
const REQUEST_TIMEOUT_MS = 60_000;
/**
 * The startup option by which the extension gives the connection's key (sluice.connect). A begin must repeat the key.
 */
const KEY_OPTION = /^-c sluice\.key=([0-9a-f]{64})$/;

/**
 * A longer request is decoded in a parser thread: here it would take more than a millisecond, in which no other
 * connection is served.
 */
const LONG_REQUEST_BYTES = 128 * 1024;

/** Serves the requests of one connection, one after another. */
export interface RequestHandler {
  handle(request: AgentRequest): Promise<object>;
  /** Decodes a long request in another thread. */
  readLong(text: Uint8Array): Promise<ReadRequest>;
  /** True while there is an export, which may take as long as its query; a connection without one has a time limit. */
  readonly hasExport: boolean;
  /** The client is gone, so no one receives the answer to the current request. */
  lost(): void;
  /** Called when the connection has ended. */
  close(): Promise<void>;
}

/**
 * Serves one connection of PostgreSQL (dblink), with the part of PostgreSQL's protocol that dblink needs. The agent
 * asks for no password, and dblink refuses connections without one to everybody but superusers.
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
  /** Undefined when the client is not the extension, or an extension before 1.2.1. */
  let key: string | undefined;
  try {
    // The socket stays open when reading ends with an error, so that the error can still be sent.
    const chunks: AsyncIterator<Buffer> = socket.iterator({ destroyOnReturn: false });
    // The next messages are read while the current ones are answered, to notice at once when the client is gone.
    let next = receive(chunks, reader, handler);
    for (let messages = await next; messages !== undefined; messages = await next) {
      next = receive(chunks, reader, handler);
      // A failure of `next` is thrown where it is awaited, above; here it only says that the client is gone.
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

/**
 * Waits until the operating system has taken the written answers, or the client is gone: a client that does not read
 * its answers must not make them pile up in memory.
 */
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
  // dblink sets client_encoding to the database's encoding. Requests and answers are ASCII, so any encoding is
  // accepted.
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
