import type { ServerResponse } from 'node:http';
import type { AwsRequest } from './http/aws-request.ts';

/** One AWS service of the endpoint. Requests are given to it by the service name of their SigV4 scope. */
export interface AwsService {
  /**
   * Answers a request, also when it fails, in the service's own form. Rejects only when the connection ends before the
   * answer is sent.
   */
  handle(request: AwsRequest, response: ServerResponse): Promise<HandledRequest>;
  close(): Promise<void>;
}

/** What became of a request, for the log. */
export interface HandledRequest {
  /** Undefined when the request was refused before it was known. */
  readonly operation?: string | undefined;
  /** The AWS error code of the answer. */
  readonly errorCode?: string | undefined;
  /** What failed on our side, when the answer is an internal error. */
  readonly error?: unknown;
}
