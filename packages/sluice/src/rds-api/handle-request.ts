import { QueryParameters } from '../aws-protocol/query-parameters.ts';
import { writeError, writeResult } from '../aws-protocol/query/write-answer.ts';
import type { RequestHeaders } from '../aws-protocol/request-headers.ts';
import { authenticate, type AuthenticateOptions } from './authenticate.ts';
import { OPERATIONS } from './operations/index.ts';
import type { OperationContext } from './operation.ts';
import { Parameters } from './parameters.ts';
import { RdsError } from './rds-error.ts';

const API_VERSION = '2014-10-31';
const NAMESPACE = `http://rds.amazonaws.com/doc/${API_VERSION}/`;

/** A request has no query: its URL must be `/`, and the parameters are in the body. */
const NO_QUERY = new QueryParameters('');

export interface ApiRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: RequestHeaders;
  body: Uint8Array;
  requestId: string;
}

export interface ApiAnswer {
  status: number;
  xml: string;
  /** For the log. */
  action: string | undefined;
  accessKeyId: string | undefined;
  error: unknown;
}

export interface ApiContext extends OperationContext, AuthenticateOptions {}

/** Answers one request. Every failure becomes an answer, too. */
export async function handleRequest(request: ApiRequest, context: ApiContext): Promise<ApiAnswer> {
  let accessKeyId: string | undefined;
  let action: string | undefined;
  try {
    const { method, url, headers, body } = request;
    if (method !== 'POST' || url !== '/') {
      throw new RdsError(
        'MalformedQueryString',
        'Send requests with POST to /, with the parameters in the body.',
      );
    }
    accessKeyId = await authenticate({ method, path: url, query: NO_QUERY, headers }, body, context);
    const parameters = new Parameters(Buffer.from(body).toString('utf8'));
    action = parameters.get('Action');
    const result = await run(action, parameters, context);
    const xml = writeResult(action ?? '', result, { namespace: NAMESPACE, requestId: request.requestId });
    return { status: 200, xml, action, accessKeyId, error: undefined };
  } catch (error) {
    return { ...failure(error, request.requestId), action, accessKeyId, error };
  }
}

/** The answer to a request that failed. */
export function failure(error: unknown, requestId: string): { status: number; xml: string } {
  const told =
    error instanceof RdsError
      ? error
      : new RdsError(
          'InternalFailure',
          'The request failed because of an error of the Sluice agent; its log has more.',
        );
  return { status: told.status, xml: writeError(told, { namespace: NAMESPACE, requestId }) };
}

function run(action: string | undefined, parameters: Parameters, context: OperationContext) {
  if (action === undefined) {
    throw new RdsError('MissingAction', 'The request is missing an Action parameter.');
  }
  const version = parameters.get('Version') ?? API_VERSION;
  const operation = version === API_VERSION ? OPERATIONS.get(action) : undefined;
  if (operation === undefined) {
    throw new RdsError('InvalidAction', `Could not find operation ${action} for version ${version}.`);
  }
  return operation(parameters, context);
}
