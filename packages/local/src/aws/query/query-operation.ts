import type { XmlElement } from 'sluice/aws-protocol';
import type { AuthorizationDecision, AuthorizationRequest, Caller, ConditionKeys } from '../identity.ts';
import type { QueryForm } from './query-form.ts';

/** An answer that another server gave, with its own status and XML, errors included. */
export class ForwardedAnswer {
  readonly status: number;
  readonly xml: string;

  constructor(status: number, xml: string) {
    this.status = status;
    this.xml = xml;
  }
}

type Result = readonly XmlElement[] | ForwardedAnswer | undefined;

/** What every operation is given: a request whose signature is right and whose permission was granted. */
export interface QueryCall extends Caller {
  readonly form: QueryForm;
  readonly accountId: string;
  /** Whether the caller's keys are temporary. */
  readonly isSession: boolean;
  readonly conditions: ConditionKeys;
  /** Asks for a permission that the operation itself must decide. */
  readonly authorize: (
    question: Pick<AuthorizationRequest, 'action' | 'resource' | 'conditions' | 'trustPolicy'>,
  ) => AuthorizationDecision | Promise<AuthorizationDecision>;
}

/** One action of a service. `Context` is what the service's operations have beside the call, e.g. its state. */
export interface QueryOperation<Context> {
  /** As the API reference names it; with the service before it, the name of the permission. */
  readonly name: string;
  /** The ARN that the caller must be allowed the operation on. Without it, nobody need be allowed. */
  readonly resource?: (call: QueryCall & Context) => string;
  /** Condition keys of this operation. */
  readonly conditions?: (call: QueryCall & Context) => Iterable<readonly [key: string, value: string]>;
  /** Answers what stands in `<NameResult>`; undefined for an operation that has no result. */
  readonly run: (call: QueryCall & Context) => Result | Promise<Result>;
}
