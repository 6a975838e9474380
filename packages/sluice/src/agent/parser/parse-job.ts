import { parseCopyOptions, type CopyOption } from '../../copy-options/parse-copy-options.ts';
import { singleStatement } from '../../copy-options/parse-statement.ts';
import { isSluiceError, SluiceError, type SluiceErrorCode } from '../../errors.ts';
import type { AgentRequest } from '../request.ts';

/** A job for a parser thread: to read a text that a user wrote. */
export type ParseJob =
  | { kind: 'options'; text: string; backslashEscapes: boolean }
  | { kind: 'statement'; query: string; backslashEscapes: boolean }
  | { kind: 'request'; text: Uint8Array<ArrayBuffer> };

/**
 * The result of reading a long request: the answer, if the parser thread could give it; otherwise the decoded request.
 */
export type ReadRequest = { answer: Uint8Array<ArrayBuffer> } | { request: AgentRequest | undefined };

/** The result of a job, or what is wrong with the text. */
export type ParseReply =
  | { kind: 'options'; options: CopyOption[] }
  | { kind: 'statement'; end: number }
  | ({ kind: 'request' } & ReadRequest)
  | { kind: 'error'; error: PlainError };

/** The fields of a SluiceError, which structured cloning between threads would reduce to a plain Error. */
interface PlainError {
  code: SluiceErrorCode;
  message: string;
  detail: string | undefined;
  hint: string | undefined;
}

/** Runs in a parser thread. What it throws ends the thread. */
export async function runJob(job: ParseJob): Promise<ParseReply> {
  try {
    switch (job.kind) {
      case 'options':
        return { kind: 'options', options: parseCopyOptions(job.text, job) };
      case 'statement':
        return { kind: 'statement', end: singleStatement(job.query, job).length };
      case 'request':
        return { kind: 'request', ...(await readRequest(job.text)) };
      default:
        return job satisfies never;
    }
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    const { code, message, detail, hint } = error;
    return { kind: 'error', error: { code, message, detail, hint } };
  }
}

export function revivedError({ code, message, ...fields }: PlainError): SluiceError {
  return new SluiceError(code, message, fields);
}

/**
 * A `statement` request is answered here, where it was decoded, so that its long text is not copied to the other
 * thread.
 */
async function readRequest(text: Uint8Array): Promise<ReadRequest> {
  // Imported only for a long request: the module takes as much memory as the rest of the thread.
  const { encodeAnswer, parseRequest } = await import('../request.ts');
  const request = parseRequest(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('latin1'));
  if (request?.op !== 'statement') return { request };
  const statement = singleStatement(request.query, request);
  return { answer: new Uint8Array(Buffer.from(encodeAnswer({ statement }), 'latin1')) };
}
