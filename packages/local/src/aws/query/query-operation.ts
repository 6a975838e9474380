import type { XmlElement } from 'sluice/aws-protocol';
import type { AuthorizationDecision, AuthorizationRequest, Caller, ConditionKeys } from '../identity.ts';
import type { QueryForm } from './query-form.ts';

/** The answer of another server, passed on with its own status and XML; it may be an error. */
export class ForwardedAnswer {
  readonly status: number;
  readonly xml: string;

  constructor(status: number, xml: string) {
    this.status = status;
    this.xml = xml;
  }
}

type Result = readonly XmlElement[] | ForwardedAnswer | undefined;

/** What every operation gets: a request whose signature was verified and that is permitted. */
export interface QueryCall extends Caller {
  readonly form: QueryForm;
  readonly accountId: string;
  /** Whether the caller's keys are temporary. */
  readonly isSession: boolean;
  readonly conditions: ConditionKeys;
  /** Checks a further permission, which only the operation itself can know. */
  readonly authorize: (
    question: Pick<AuthorizationRequest, 'action' | 'resource' | 'conditions' | 'trustPolicy'>,
  ) => AuthorizationDecision | Promise<AuthorizationDecision>;
}

/** One action of a service. `Context` is what the service's operations need besides the call, e.g. its state. */
export interface QueryOperation<Context> {
  /** The name in the API reference. With the service's name before it, it is the name of the permission. */
  readonly name: string;
  /** The ARN on which the caller must be permitted to do the operation. Without it, no permission is needed. */
  readonly resource?: (call: QueryCall & Context) => string;
  /** Condition keys of this operation. */
  readonly conditions?: (call: QueryCall & Context) => Iterable<readonly [key: string, value: string]>;
  /** Gives the content of `<NameResult>`; undefined for an operation that has no result. */
  readonly run: (call: QueryCall & Context) => Result | Promise<Result>;
}
