import { writeDocument, type XmlElement } from '../xml/write-document.ts';

interface AnswerOptions {
  /** The xmlns of the service's answers. */
  readonly namespace: string;
  readonly requestId: string;
}

/**
 * The answer of the Query protocol to an operation that succeeded.
 *
 * @param operation its name, which must be known to exist: it names elements
 * @param result what stands in its Result; undefined for an operation that has none
 */
export function writeResult(
  operation: string,
  result: readonly XmlElement[] | undefined,
  { namespace, requestId }: AnswerOptions,
): string {
  const content: XmlElement[] = [
    [`${operation}Result`, result],
    ['ResponseMetadata', [['RequestId', requestId]]],
  ];
  return writeDocument([`${operation}Response`, content, { xmlns: namespace }]);
}

/** The answer to a request that failed. From status 500 on the fault is the service's, below it is the client's. */
export function writeError(
  { code, message, status }: { readonly code: string; readonly message: string; readonly status: number },
  { namespace, requestId }: AnswerOptions,
): string {
  const details: XmlElement[] = [
    ['Type', status < 500 ? 'Sender' : 'Receiver'],
    ['Code', code],
    ['Message', message],
  ];
  const content: XmlElement[] = [
    ['Error', details],
    ['RequestId', requestId],
  ];
  return writeDocument(['ErrorResponse', content, { xmlns: namespace }]);
}
