import { agentEvent } from './agent-events.ts';
import type { EventContext } from './event-context.ts';
import type { EventStep, PlanStep } from './fault-plan.ts';
import { serverEvent } from './server-events.ts';
import { sessionEvent } from './session-events.ts';

/** Makes the events of a plan happen at their moments. */
export class Events {
  /** The events that have happened. */
  readonly happened: string[] = [];
  readonly #steps: readonly EventStep[];
  readonly #context: Omit<EventContext, 'afterCall'>;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #repairs: (() => Promise<void>)[] = [];
  /** Events run one after another, because a second one could not find an agent that the first has just ended. */
  #running: Promise<void> = Promise.resolve();
  readonly #failures: unknown[] = [];
  readonly #due: Set<EventStep>;

  constructor(plan: readonly PlanStep[], context: Omit<EventContext, 'afterCall'>) {
    this.#steps = plan.filter((step) => step.what !== 'aws');
    this.#due = new Set(this.#steps);
    this.#context = context;
  }

  /** Called when the call begins. */
  start(): void {
    for (const step of this.#steps) {
      if ('afterMs' in step.when) this.#timers.push(setTimeout(() => this.#perform(step), step.when.afterMs));
    }
  }

  onRequest(operation: string, nth: number): void {
    for (const step of this.#steps) {
      if ('operation' in step.when && step.when.operation === operation && step.when.nth === nth)
        this.#perform(step);
    }
  }

  /**
   * Called when the call is over. Events that have not happened are dropped, and the damage of the others is repaired.
   */
  async settle(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#due.clear();
    await this.#running;
    for (const repair of this.#repairs.splice(0)) await unlessLate(repair);
    if (this.#failures.length > 0)
      throw new AggregateError(this.#failures, 'an event of the plan could not be made');
  }

  #perform(step: EventStep): void {
    const event = eventOf(step);
    if (event === undefined || !this.#due.delete(step)) return;
    const context = {
      ...this.#context,
      afterCall: (repair: () => Promise<void>) => this.#repairs.push(repair),
    };
    this.#running = this.#running.then(async () => {
      try {
        this.happened.push(step.event);
        await event(context);
      } catch (error) {
        if (!isLate(error)) this.#failures.push(error);
      }
    });
  }
}

function eventOf({ what, event }: EventStep) {
  switch (what) {
    case 'session':
      return sessionEvent(event);
    case 'agent':
      return agentEvent(event);
    case 'server':
      return serverEvent(event);
    default:
      return what satisfies never;
  }
}

async function unlessLate(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isLate(error)) throw error;
  }
}

/** Whether an event failed because an earlier event of the same plan had already ended its target. */
function isLate(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return (
    ['ESRCH', 'ENOENT', 'ECONNREFUSED', '57P03', '57P01', '57P02'].includes(code) ||
    message.includes('Connection terminated') ||
    // Of prlimit.
    message.includes('No such process')
  );
}
