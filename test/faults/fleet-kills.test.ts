import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasClient } from '../support/clients.ts';
import { expectExported, openUploads } from '../support/exported-tables.ts';
import { TestFleet } from '../support/test-fleet.ts';
import { TestStack } from '../support/test-stack.ts';
import { SeededRandom } from './seeded-random.ts';

/** npm run test:fleet-kills sets these. */
const KILLS = Number(process.env['SLUICE_FLEET_KILLS'] ?? 4);
const SEED = Number(process.env['SLUICE_FLEET_KILLS_SEED'] ?? 1);
const IS_TALKATIVE = process.env['SLUICE_FLEET_KILLS'] !== undefined;

const TABLES = Array.from({ length: 40 }, (_, index) => `public.t${String(index).padStart(2, '0')}`);
const LONGEST_LIFE_MS = 5_000;
const MS_PER_KILL = 30_000;
/** An upload whose id its worker could not note is looked for that long after. */
const SETTLED = { timeout: 90_000, interval: 200 };

let testStack: TestStack;
let superuser: pg.Client;

describe.skipIf(!hasClient('redis-server'))('a fleet whose workers are killed', () => {
  beforeAll(async () => {
    testStack = await TestStack.start();
    superuser = await testStack.connect();
    for (const [index, table] of TABLES.entries()) {
      // From no row to some megabytes.
      await superuser.query(`CREATE TABLE ${table} AS
        SELECT id, repeat(md5(id::text), 3) AS filler FROM generate_series(1, ${index ** 3}) AS id`);
    }
    await superuser.query('ANALYZE');
  });
  afterAll(() => testStack?.stop());

  it(
    'exports every row of 40 tables once, however often, and leaves no upload open',
    async () => {
      await using fleet = await TestFleet.start(testStack);
      const random = new SeededRandom('fleet-kills', SEED);
      await Promise.all([fleet.startWorker(), fleet.startWorker()]);
      let kills = 0;
      let exports = 0;
      let attempts = 0;
      while (kills < KILLS) {
        const prefix = `killed-${exports}/`;
        const id = await fleet.submit({ prefix, tables: ['public.*'], attempts: 1_000 });
        const ended = fleet.client.follow(id).then(
          () => true,
          (error: unknown) => error,
        );
        for (;;) {
          const isOver = await Promise.race([ended, delay(random.integer(0, LONGEST_LIFE_MS), false)]);
          if (isOver !== false || kills === KILLS) break;
          const victim = fleet.workers[random.integer(0, fleet.workers.length - 1)];
          if (victim !== undefined) await fleet.replace(victim);
          kills += 1;
        }
        expect(await ended).toBe(true);
        await expectExported(testStack, superuser, { prefix, tables: TABLES });
        attempts += (await fleet.client.show(id))?.attempts ?? 0;
        exports += 1;
      }
      await expect.poll(() => openUploads(testStack), SETTLED).toEqual([]);
      if (IS_TALKATIVE) process.stdout.write(`${JSON.stringify({ seed: SEED, kills, exports, attempts })}\n`);
      expect(kills).toBe(KILLS);
    },
    Math.max(300_000, KILLS * MS_PER_KILL),
  );
});
