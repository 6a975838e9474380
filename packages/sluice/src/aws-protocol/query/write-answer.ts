import { writeDocument, type XmlElement } from '../xml/write-document.ts';

interface AnswerOptions {
  /** The xmlns of the service's answers. */
  readonly namespace: string;
  readonly requestId: string;
}

/**
 * The answer of the Query protocol to an operation that succeeded.
 *
 * @param operation the operation's name; it becomes a part of element names, so it must be one that exists
 * @param result the content of the Result element; undefined for an operation without one
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

/**
 * The answer to a request that failed. A status of 500 or more is a fault of the service, a lower one of the client.
 */
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
