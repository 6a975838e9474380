import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Queue } from 'bullmq';
import type { Hono } from 'hono';
import { z } from 'zod';
import { hideSealed } from './hide-sealed.ts';

/** Bull Board on the fleet's queues, to look at: jobs are sealed, so none can be added or changed by hand. */
export function board(queues: readonly Queue[]): Hono {
  const serverAdapter = new HonoAdapter(serveStatic);
  createBullBoard({
    queues: queues.map((queue) => new SealedQueue(queue)),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Sluice fleet', hideDocsLink: true } },
  });
  serverAdapter.setBasePath('/');
  return serverAdapter.registerPlugin();
}

class SealedQueue extends BullMQAdapter {
  constructor(queue: Queue) {
    super(queue, { readOnlyMode: true });
    this.setFormatter('data', hideSealed);
    this.setFormatter('returnValue', hideSealed);
    this.setFormatter('name', nameOf);
  }

  /** Formatters are not asked about what schedules make jobs of. */
  override async getJobSchedulers(): ReturnType<BullMQAdapter['getJobSchedulers']> {
    const schedulers = await super.getJobSchedulers();
    return schedulers.map(({ template, ...scheduler }) => ({
      ...scheduler,
      ...(template === undefined ? {} : { template: { ...template, data: hideSealed(template.data) } }),
    }));
  }
}

/** An export by where it goes, a piece by its file: BullMQ's own names of jobs are all the same. */
function nameOf({ name, data }: { name: string; data: unknown }): string {
  const names = namesSchema.safeParse(data);
  return names.data?.destination ?? names.data?.key ?? name;
}

const namesSchema = z.object({ destination: z.string().optional(), key: z.string().optional() });
