import type { QueryParameters } from '../query-parameters.ts';
import type { RequestHeaders } from '../request-headers.ts';

/** What a signature covers of a request, except its body. */
export interface SignedRequest {
  readonly method: string;
  /** Decoded, with its leading slash; repeated slashes and dots are kept. */
  readonly path: string;
  readonly query: QueryParameters;
  readonly headers: RequestHeaders;
}
