import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { errnoOf, isSluiceError, SluiceError } from '../errors.ts';
import * as backend from './pg-protocol/backend-messages.ts';
import { FrontendReader, type FrontendMessage } from './pg-protocol/frontend-reader.ts';
import { encodeAnswer, parseRequest, type AgentRequest } from './request.ts';
import { toSqlError } from './sql-state.ts';

/** A query of a million characters, in hexadecimal, and room around it. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const STARTUP_TIMEOUT_MS = 10_000;
/** A connection without an export is there for one request; its next one must be whole within this time. */
const REQUEST_TIMEOUT_MS = 60_000;
/** How the extension gives the key of its connection, which its begin must have: sluice.connect. */
const KEY_OPTION = /^-c sluice\.key=([0-9a-f]{64})$/;

/** Serves the requests of one connection, one after another. */
export interface RequestHandler {
  handle(request: AgentRequest): Promise<object>;
  /** An export may take as long as its query does; a connection without one may not. */
  readonly hasExport: boolean;
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
  // The loop below meets the errors of reading. Who is gone when an answer is written misses nothing.
  socket.on('error', () => socket.destroy());
  let deadline = setTimeout(() => socket.destroy(), STARTUP_TIMEOUT_MS).unref();
  /** Undefined: the connection is not of the extension, or of one before 1.2.1. */
  let key: string | undefined;
  try {
    // Left open when a message is refused, so that its sender learns why.
    const chunks: AsyncIterable<Buffer> = socket.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks) {
      for (const message of reader.read(chunk)) {
        clearTimeout(deadline);
        if (message.type === 'terminate' || message.type === 'cancel-request') return;
        if (message.type === 'startup') key = KEY_OPTION.exec(message.parameters.get('options') ?? '')?.[1];
        socket.write(await answer(message, handler, agentVersion, key));
        if (!handler.hasExport) deadline = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS).unref();
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

async function answer(
  message: FrontendMessage,
  handler: RequestHandler,
  agentVersion: string,
  key: string | undefined,
): Promise<Buffer> {
  switch (message.type) {
    case 'encryption-request':
      return backend.encryptionRefused;
    case 'startup':
      return Buffer.concat([
        ...(message.minorVersion > 0 ? [backend.negotiateProtocolVersion()] : []),
        backend.authenticationOk,
        backend.parameterStatus('server_version', `14.0 (Sluice ${agentVersion})`),
        backend.parameterStatus('server_encoding', 'UTF8'),
        backend.parameterStatus('client_encoding', message.parameters.get('client_encoding') ?? 'UTF8'),
        backend.parameterStatus('standard_conforming_strings', 'on'),
        backend.readyForQuery,
      ]);
    case 'query':
      return Buffer.concat([await answerQuery(message.text, handler, key), backend.readyForQuery]);
    default:
      return Buffer.concat([notSupported('only simple queries are answered here'), backend.readyForQuery]);
  }
}

async function answerQuery(text: string, handler: RequestHandler, key: string | undefined): Promise<Buffer> {
  try {
    const request = parseRequest(text);
    if (request?.op === 'begin' && request.key !== key) {
      throw new SluiceError('protocol_violation', 'an export can only be begun by who opened the connection');
    }
    if (request !== undefined)
      return backend.oneTextValue('answer', encodeAnswer(await handler.handle(request)));
  } catch (error) {
    return backend.oneTextValue('answer', encodeAnswer({ error: toSqlError(error) }));
  }
  // What dblink sends by itself, to have text in the database's encoding. Requests and answers are ASCII: any will do.
  const encoding = /^\s*set client_encoding to '([^']*)'/i.exec(text)?.[1];
  if (encoding !== undefined) {
    return Buffer.concat([
      backend.parameterStatus('client_encoding', encoding),
      backend.commandComplete('SET'),
    ]);
  }
  return text.trim() === ''
    ? backend.emptyQueryResponse
    : notSupported('this is the Sluice agent, not a database');
}

function notSupported(message: string): Buffer {
  return backend.errorResponse({
    severity: 'ERROR',
    sqlState: '0A000', // feature_not_supported
    message,
    hint: 'Call aws_s3.query_export_to_s3 in a database; its extension talks to the agent.',
  });
}
