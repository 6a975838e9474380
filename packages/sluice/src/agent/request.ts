import { z } from 'zod';
import { SluiceError } from '../errors.ts';

/** What each request to the agent begins with: the name and the version of this protocol. */
const PREFIX = 'sluice 1 ';

const nullableText = z.string().nullable();

const requestSchema = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('begin'),
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

/** The text of a request: the prefix, then UTF-8 JSON in hexadecimal. Undefined when it is not a request at all. */
export function parseRequest(text: string): AgentRequest | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const hex = text.slice(PREFIX.length);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(hex, 'hex')));
  } catch (error) {
    throw badRequest('it is not JSON in UTF-8', error);
  }
  const result = requestSchema.safeParse(value);
  if (!result.success) throw badRequest(z.prettifyError(result.error), result.error);
  return result.data;
}

/** The text of a request, as parseRequest reads it. */
export function encodeRequest(request: AgentRequest): string {
  return `${PREFIX}${Buffer.from(JSON.stringify(request)).toString('hex')}`;
}

/** What encodeAnswer made, before it is known to make sense. */
export function decodeAnswer(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'hex').toString());
}

/** An answer in the form that the SQL decodes: JSON, in hexadecimal. */
export function encodeAnswer(answer: object): string {
  return Buffer.from(JSON.stringify(answer)).toString('hex');
}

function badRequest(detail: string, cause: unknown): SluiceError {
  return new SluiceError('protocol_violation', 'the agent could not read a request of the extension', {
    cause,
    detail,
    hint: 'Do the versions of the extension and the agent agree?',
  });
}
