import { z } from 'zod';
import { SluiceError } from '../errors.ts';

/**
 * The version of this protocol. The previous one is still accepted, as databases may have the previous extension. In
 * version 1 (aws_s3 1.2) the caller gave the name of the role; in version 2 (aws_s3 1.2.1) PostgreSQL gives it.
 */
export const PROTOCOL_VERSION = 2;
const OLDEST_PROTOCOL_VERSION = 1;

/** What each request to the agent begins with: the name and the version of this protocol. */
const PREFIX = /^sluice (\d{1,9}) /;

const nullableText = z.string().nullable();

const requestSchema = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('begin'),
    /** The protocol version of the extension that sent the request. */
    protocolVersion: z.int(),
    /** The key with which the connection was opened, if it has one. */
    key: z.string().optional(),
    role: z.string(),
    database: z.string(),
    pid: z.int(),
    clientEncoding: z.string(),
    bucket: z.string(),
    filePath: z.string(),
    region: nullableText,
    options: nullableText,
    backslashEscapes: z.boolean(),
    kmsKey: nullableText,
  }),
  z.object({ op: z.literal('commit'), token: z.string(), rows: z.string().regex(/^\d{1,19}$/) }),
  z.object({ op: z.literal('abort') }),
  z.object({ op: z.literal('statement'), query: z.string(), backslashEscapes: z.boolean() }),
  z.object({ op: z.literal('ping') }),
]);

/** A request of the extension's SQL (extension/aws_s3--*.sql, schema sluice). */
export type AgentRequest = z.output<typeof requestSchema>;
export type BeginRequest = Extract<AgentRequest, { op: 'begin' }>;

/**
 * Reads the text of a request: the prefix, then UTF-8 JSON in hexadecimal. Undefined when there is no such prefix.
 *
 * @throws SluiceError `protocol_violation`
 */
export function parseRequest(text: string): AgentRequest | undefined {
  const [prefix, version] = PREFIX.exec(text) ?? [];
  if (prefix === undefined) return undefined;
  checkVersion(Number(version));
  const hex = text.slice(prefix.length);
  let value: object;
  try {
    value = Object(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(hex, 'hex'))));
  } catch (error) {
    throw badRequest('it is not JSON in UTF-8', error);
  }
  const result = requestSchema.safeParse({ ...value, protocolVersion: Number(version) });
  if (!result.success) throw badRequest(z.prettifyError(result.error), result.error);
  return result.data;
}

/** Writes a request in the form that parseRequest reads. */
export function encodeRequest(request: AgentRequest): string {
  return `sluice ${PROTOCOL_VERSION} ${Buffer.from(JSON.stringify(request)).toString('hex')}`;
}

/** Decodes what encodeAnswer made. The result is not validated. */
export function decodeAnswer(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'hex').toString());
}

/** An answer in the form that the SQL decodes: JSON, in hexadecimal. */
export function encodeAnswer(answer: object): string {
  return Buffer.from(JSON.stringify(answer)).toString('hex');
}

function checkVersion(version: number): void {
  if (version >= OLDEST_PROTOCOL_VERSION && version <= PROTOCOL_VERSION) return;
  throw new SluiceError('protocol_violation', `the agent does not speak version ${version} of its protocol`, {
    detail: `It speaks the versions ${OLDEST_PROTOCOL_VERSION} to ${PROTOCOL_VERSION}.`,
    hint:
      version > PROTOCOL_VERSION
        ? 'The extension is newer than the agent: install the newer Sluice on the database host, and start the agent anew.'
        : 'The extension is older than the agent: ALTER EXTENSION aws_s3 UPDATE;',
  });
}

function badRequest(detail: string, cause: unknown): SluiceError {
  return new SluiceError('protocol_violation', 'the agent could not read a request of the extension', {
    cause,
    detail,
    hint: 'Do the versions of the extension and the agent agree?',
  });
}
