import type { AwsFault } from './aws-fault.ts';
import type { AwsOperation } from './aws-operation.ts';

/** A fault in the requests of one operation: from the nth request on, so many times. */
export interface AwsStep {
  what: 'aws';
  operation: Exclude<AwsOperation, 'other'>;
  nth: number;
  times: number;
  fault: AwsFault;
}

/** An event that happens once to the session, the server or the agent. */
export interface EventStep {
  what: 'session' | 'server' | 'agent';
  event: string;
  when: Moment;
}

/** So many milliseconds after the call has begun, or when the nth request of an operation arrives. */
export type Moment =
  { afterMs: number } | { operation: Exclude<AwsOperation, 'other' | 'AssumeRole'>; nth: number };

export type PlanStep = AwsStep | EventStep;
