import { parseCopyOptions, type CopyOption } from '../../copy-options/parse-copy-options.ts';
import { singleStatement } from '../../copy-options/parse-statement.ts';
import { isSluiceError, SluiceError, type SluiceErrorCode } from '../../errors.ts';
import type { AgentRequest } from '../request.ts';

/** What a parser thread is asked: to read a text that somebody else wrote. */
export type ParseJob =
  | { kind: 'options'; text: string; backslashEscapes: boolean }
  | { kind: 'statement'; query: string; backslashEscapes: boolean }
  | { kind: 'request'; text: Uint8Array<ArrayBuffer> };

/** What a long request is: one that was answered in the thread that read it, or any other, still to be answered. */
export type ReadRequest = { answer: Uint8Array<ArrayBuffer> } | { request: AgentRequest | undefined };

/** What the text is, or what is wrong with it. */
export type ParseReply =
  | { kind: 'options'; options: CopyOption[] }
  | { kind: 'statement'; end: number }
  | ({ kind: 'request' } & ReadRequest)
  | { kind: 'error'; error: PlainError };

/** The fields of a SluiceError, which does not travel between threads as one. */
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

/** A long query is cut where its request was decoded, so that its text does not travel once more. */
async function readRequest(text: Uint8Array): Promise<ReadRequest> {
  // Loaded where a long request comes: it takes as much memory as the rest of the thread.
  const { encodeAnswer, parseRequest } = await import('../request.ts');
  const request = parseRequest(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('latin1'));
  if (request?.op !== 'statement') return { request };
  const statement = singleStatement(request.query, request);
  return { answer: new Uint8Array(Buffer.from(encodeAnswer({ statement }), 'latin1')) };
}
