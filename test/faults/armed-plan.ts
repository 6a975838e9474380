import { describeFault, type AwsFault } from './aws-fault.ts';
import { newExchange, type AwsExchange } from './aws-exchange.ts';
import type { AwsRequest } from './aws-operation.ts';
import type { AwsStep } from './fault-plan.ts';

/** The AWS faults of one run in progress, and the record of its requests. */
export class ArmedPlan {
  readonly exchanges: AwsExchange[] = [];
  readonly #subject: string;
  readonly #sessionName: string;
  readonly #steps: readonly AwsStep[];
  readonly #onRequest: (operation: string, nth: number) => void;
  readonly #counts = new Map<string, number>();
  #isDisarmed = false;

  /**
   * @param subject the prefix of the run's keys
   * @param sessionName the prefix of the run's role session name
   * @param onRequest called with each request before its fault is applied
   */
  constructor(
    { subject, sessionName }: { subject: string; sessionName: string },
    steps: readonly AwsStep[],
    onRequest: (operation: string, nth: number) => void,
  ) {
    this.#subject = subject;
    this.#sessionName = sessionName;
    this.#steps = steps;
    this.#onRequest = onRequest;
  }

  isMeant({ operation, subject }: AwsRequest): boolean {
    return subject.startsWith(operation === 'AssumeRole' ? this.#sessionName : this.#subject);
  }

  /** Records a request, and gives the fault to apply, if any. */
  meet(request: AwsRequest): { exchange: AwsExchange; fault: AwsFault | undefined } {
    const { operation } = request;
    const nth = (this.#counts.get(operation) ?? 0) + 1;
    this.#counts.set(operation, nth);
    const step = this.#isDisarmed
      ? undefined
      : this.#steps.find(
          (planned) =>
            planned.operation === operation && nth >= planned.nth && nth < planned.nth + planned.times,
        );
    const exchange = newExchange(request, step === undefined ? undefined : describeFault(step.fault));
    this.exchanges.push(exchange);
    this.#onRequest(operation, nth);
    return { exchange, fault: step?.fault };
  }

  /** Applies no more faults; requests are still recorded. */
  disarm(): void {
    this.#isDisarmed = true;
  }
}
