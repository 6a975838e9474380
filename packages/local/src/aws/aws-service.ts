import type { ServerResponse } from 'node:http';
import type { AwsRequest } from './http/aws-request.ts';

/**
 * One AWS service of the endpoint. The endpoint chooses the service by the service name in the request's SigV4 scope.
 */
export interface AwsService {
  /**
   * Answers a request; errors are answered in the service's own form. Rejects only when the connection ends before the
   * answer is sent.
   */
  handle(request: AwsRequest, response: ServerResponse): Promise<HandledRequest>;
  close(): Promise<void>;
}

/** The result of a request, for the log. */
export interface HandledRequest {
  /** Undefined when the request was refused before its operation was known. */
  readonly operation?: string | undefined;
  /** The AWS error code of the answer. */
  readonly errorCode?: string | undefined;
  /** The cause of an internal error. */
  readonly error?: unknown;
}
