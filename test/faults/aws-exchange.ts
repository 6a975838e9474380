import type { AwsOperation, AwsRequest } from './aws-operation.ts';

/** One request of the agent, and how it ended. */
export interface AwsExchange {
  operation: AwsOperation;
  subject: string;
  /** A description of the fault that was applied. */
  fault: string | undefined;
  /** The status with which the real AWS answered; `not sent` if the request did not reach it. */
  status: number | 'not sent' | 'sent';
  /** Whether the agent got the real AWS's answer, complete and unchanged. */
  answered: boolean;
  /** The time of its arrival, by performance.now(). */
  cameAt: number;
  /** Set when the agent broke off a request without a fault: after how long. The machine was too busy then. */
  givenUpAfterMs?: number;
}

/** The record of a request that has just arrived. */
export function newExchange({ operation, subject }: AwsRequest, fault?: string): AwsExchange {
  return { operation, subject, fault, status: 'not sent', answered: false, cameAt: performance.now() };
}

/** Whether the real AWS executed the request, or may have, without the agent getting its answer. */
export function isDoneInSecret({ status, answered }: AwsExchange): boolean {
  return !answered && (status === 'sent' || (typeof status === 'number' && status < 300));
}
