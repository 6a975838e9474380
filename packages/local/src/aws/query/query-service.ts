import { createHash, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import {
  QueryParameters,
  readSignatureClaim,
  verifySignature,
  writeError,
  writeResult,
  type XmlElement,
} from 'sluice/aws-protocol';
import type { AwsService, HandledRequest } from '../aws-service.ts';
import { globalConditionKeys } from '../global-condition-keys.ts';
import type { AwsRequest } from '../http/aws-request.ts';
import { accessDeniedMessage } from '../iam/policy/access-denied.ts';
import type { Identity, VerifiedSignature } from '../identity.ts';
import { QueryError } from './query-error.ts';
import { QueryForm } from './query-form.ts';
import { ForwardedAnswer, type QueryCall, type QueryOperation } from './query-operation.ts';
import { toQueryError } from './to-query-error.ts';

export interface QueryServiceOptions<Context> {
  /** The service's name in permissions. @example 'iam' */
  readonly name: string;
  /** @example '2010-05-08' */
  readonly version: string;
  /** The xmlns of every answer. */
  readonly namespace: string;
  readonly operations: readonly QueryOperation<Context>[];
  readonly context: Context;
  readonly identity: Identity;
}

/** Room for a policy of 131,072 characters, percent-encoded, and for the other parameters. */
const LARGEST_BODY_BYTES = 1024 * 1024;

/** A service that speaks the AWS Query protocol: parameters in a form, answers in XML. */
export class QueryService<Context> implements AwsService {
  readonly #options: QueryServiceOptions<Context>;
  readonly #operations: ReadonlyMap<string, QueryOperation<Context>>;

  constructor(options: QueryServiceOptions<Context>) {
    this.#options = options;
    this.#operations = new Map(options.operations.map((operation) => [operation.name, operation]));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async handle(request: AwsRequest, response: ServerResponse): Promise<HandledRequest> {
    const requestId = randomUUID();
    let action: string | undefined;
    try {
      const body = await readBody(request);
      const verified = await this.#authenticate(request, body);
      const form = readForm(request, body);
      const operation = this.#select(form);
      action = operation.name;
      const result = await this.#run(operation, request, form, verified);
      if (result instanceof ForwardedAnswer) {
        this.#send(response, result.status, requestId, result.xml);
        return { operation: action };
      }
      const xml = writeResult(operation.name, result, { namespace: this.#options.namespace, requestId });
      this.#send(response, 200, requestId, xml);
      return { operation: action };
    } catch (reason) {
      if (response.headersSent || request.incoming.socket.destroyed) throw reason;
      const error = toQueryError(reason);
      const xml = writeError(error, { namespace: this.#options.namespace, requestId });
      this.#send(response, error.status, requestId, xml);
      const isOurs = error.code === 'InternalFailure';
      return { operation: action, errorCode: error.code, ...(isOurs && { error: error.cause }) };
    }
  }

  #authenticate(request: AwsRequest, body: Buffer): Promise<VerifiedSignature> {
    const payloadHash = createHash('sha256').update(body).digest('hex');
    const { credentials } = this.#options.identity;
    return verifySignature(request, readSignatureClaim(request), { credentials, payloadHash });
  }

  #select(form: QueryForm): QueryOperation<Context> {
    const action = form.optional('Action');
    if (action === undefined) {
      throw new QueryError('MissingAction', 400, 'The request must contain the parameter Action.');
    }
    const version = form.optional('Version') ?? this.#options.version;
    const operation = this.#operations.get(action);
    if (operation !== undefined && version === this.#options.version) return operation;
    throw new QueryError('InvalidAction', 400, `Could not find operation ${action} for version ${version}`);
  }

  async #run(
    operation: QueryOperation<Context>,
    request: AwsRequest,
    form: QueryForm,
    verified: VerifiedSignature,
  ): Promise<readonly XmlElement[] | ForwardedAnswer | undefined> {
    const { identity, context, name } = this.#options;
    const { accountId } = identity;
    const {
      principal = { type: 'root', accountId },
      sessionPolicies = [],
      sessionToken,
    } = verified.credentials;
    const conditions = globalConditionKeys(request, verified);
    const authorize: QueryCall['authorize'] = (question) =>
      identity.authorize({ principal, sessionPolicies, ...question });
    const isSession = sessionToken !== undefined;
    const call = {
      ...context,
      form,
      accountId,
      principal,
      sessionPolicies,
      isSession,
      conditions,
      authorize,
    };
    if (operation.resource !== undefined) {
      const question = {
        action: `${name}:${operation.name}`,
        resource: operation.resource(call),
        conditions: new Map([...conditions, ...(operation.conditions?.(call) ?? [])]),
      };
      const { allowed, because } = await authorize(question);
      if (!allowed) {
        throw new QueryError('AccessDenied', 403, accessDeniedMessage({ principal, ...question }, because));
      }
    }
    return operation.run(call);
  }

  #send(response: ServerResponse, status: number, requestId: string, xml: string): void {
    response.writeHead(status, {
      'content-type': 'text/xml',
      'content-length': Buffer.byteLength(xml),
      'x-amzn-requestid': requestId,
    });
    response.end(xml);
  }
}

async function readBody(request: AwsRequest): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of request.takeBody()) {
    sizeBytes += piece.length;
    if (sizeBytes > LARGEST_BODY_BYTES) {
      throw new QueryError('RequestEntityTooLarge', 413, 'The request is too large.');
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** The parameters of the URL, or of a form in the body. */
function readForm(request: AwsRequest, body: Buffer): QueryForm {
  const fromBody = new QueryParameters(body.toString('latin1'));
  return new QueryForm([...request.query.entries, ...fromBody.entries]);
}
