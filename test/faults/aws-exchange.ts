import type { AwsOperation, AwsRequest } from './aws-operation.ts';

/** One request of the agent, and what became of it. */
export interface AwsExchange {
  operation: AwsOperation;
  subject: string;
  /** The fault it met, in words. */
  fault: string | undefined;
  /** What the real AWS made of it: nothing reached it, or with which status it answered. */
  status: number | 'not sent' | 'sent';
  /** Whether the answer of the real AWS went to the agent whole and unchanged. */
  answered: boolean;
  /** When it came, as performance.now() has it. */
  cameAt: number;
  /** The agent broke it off so long after it came, though no fault held it up: the machine was too busy. */
  givenUpAfterMs?: number;
}

/** Of a request that has just come. */
export function newExchange({ operation, subject }: AwsRequest, fault?: string): AwsExchange {
  return { operation, subject, fault, status: 'not sent', answered: false, cameAt: performance.now() };
}

/** Whether the real AWS did, or may have done, what was asked, and the agent was not told so. */
export function isDoneInSecret({ status, answered }: AwsExchange): boolean {
  return !answered && (status === 'sent' || (typeof status === 'number' && status < 300));
}
