import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectTaggingCommand, HeadObjectCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasClient } from '../support/clients.ts';
import type { RunningCommand } from '../support/export-command.ts';
import { Fleet } from '../support/fleet.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

/** The commands of a fleet, as people type them: a Redis, and workers as processes. */

const ROWS = 20_000;
const TOKEN = 'a-token-of-the-tests-0123456789';

interface Shown {
  id: string;
  state: string;
  destination: string;
  schedule: string | null;
  worker: string | null;
  result: { rows: number; files: number; manifest: string } | null;
  error: { code: string | null; message: string; detail: string | null; hint: string | null } | null;
}

let testStack: TestStack;
let superuser: pg.Client;

describe.skipIf(!hasClient('redis-server'))('a fleet', () => {
  let fleet: Fleet;
  let config: string;

  beforeAll(async () => {
    testStack = await TestStack.start();
    superuser = await testStack.connect();
    await superuser.query(`
      CREATE TABLE orders AS SELECT id, repeat('x', 100) AS filler FROM generate_series(1, ${ROWS}) AS id;
      CREATE VIEW slow AS SELECT id, pg_sleep(0.05)::text FROM generate_series(1, 10000) AS id;
      CREATE VIEW brief AS SELECT id, pg_sleep(0.05)::text FROM generate_series(1, 200) AS id;
      ANALYZE`);
  });
  afterAll(async () => testStack?.stop());
  beforeAll(async () => {
    fleet = await Fleet.start(testStack);
    config = await fleet.config({ dashboard: { listen: '127.0.0.1:0', token: TOKEN } });
  });
  afterAll(() => fleet?.[Symbol.asyncDispose]());

  let prefix: string;
  let count = 0;
  beforeEach(() => {
    count += 1;
    prefix = `fleet-${count}/`;
  });

  const sluiceFleet = (...args: string[]) => fleet.runSluice(['fleet', ...args, '--config', config]);
  const exportArgs = (...args: string[]) => [
    'export',
    `s3://${BUCKET}/${prefix}`,
    '--fleet',
    config,
    '--source',
    'sales',
    ...args,
  ];
  const show = async (id: string): Promise<Shown> =>
    JSON.parse((await sluiceFleet('show', id, '--json')).stdout) as Shown;
  const untilState = async (id: string, ...states: string[]): Promise<Shown> => {
    for (;;) {
      const shown = await show(id);
      if (states.includes(shown.state)) return shown;
      await delay(300);
    }
  };

  describe('without workers', () => {
    it('prints the id of a detached export, which waits, is shown, and can be cancelled', async () => {
      const { status, stdout, stderr } = await fleet.runSluice(
        exportArgs('-t', 'orders', '--detach', '--priority', '1'),
      );
      expect({ status, stderr }).toEqual({
        status: 0,
        stderr:
          'warning: no worker has the source "sales" now; the export waits until one is started (sluice worker)\n',
      });
      const id = stdout.trim();
      const { stdout: table } = await sluiceFleet('status');
      expect(table).toMatch(new RegExp(`^${id} +waiting .* sales .*s3://${BUCKET}/${prefix}$`, 'm'));
      expect(table).toContain('no workers: start some with sluice worker\n');
      expect(await show(id)).toMatchObject({ id, state: 'waiting', destination: `s3://${BUCKET}/${prefix}` });
      expect(await sluiceFleet('cancel', id)).toEqual({
        status: 0,
        stdout: `cancelled: ${id}\n`,
        stderr: '',
      });
      expect((await show(id)).state).toBe('cancelled');
    });

    it('says which export it does not know', async () => {
      for (const command of ['show', 'cancel']) {
        const { status, stdout, stderr } = await sluiceFleet(command, 'x0');
        expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
        expect(stderr).toMatch(/^sluice: the fleet knows no export "x0"\nHINT: {2}sluice fleet status --all/);
      }
    });

    it('pauses and resumes sources, and shows which are', async () => {
      expect((await sluiceFleet('pause', 'sales')).stdout).toBe('paused: sales\n');
      expect((await sluiceFleet('status')).stdout).toContain('\npaused: sales (sluice fleet resume)\n');
      expect(JSON.parse((await sluiceFleet('status', '--json')).stdout)).toMatchObject({ paused: ['sales'] });
      expect((await sluiceFleet('resume')).stdout).toBe('resumed: all sources\n');
      expect((await sluiceFleet('status')).stdout).not.toContain('paused');
      expect(await sluiceFleet('pause', 'sails')).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('"sails"') as unknown,
      });
    });

    it('Ctrl-C cancels an export that waits', async () => {
      const running = fleet.startSluice(exportArgs('-t', 'orders', '--json'));
      const id = await submittedId(running);
      running.child.kill('SIGINT');
      const { status, stderr } = await running.finished;
      expect(status).toBe(130);
      expect(stderr).toContain('cancelled');
      expect((await show(id)).state).toBe('cancelled');
    });
  });

  describe('with a worker', () => {
    let worker: RunningCommand;
    beforeAll(async () => {
      worker = await fleet.startWorker(config);
    });
    afterAll(async () => {
      worker.child.kill('SIGTERM');
      const { status, stdout, stderr } = await worker.finished;
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain('"signal":"SIGTERM"');
      const { Uploads = [] } = await testStack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
      expect(Uploads).toEqual([]);
    });

    it('exports as if it were done here', async () => {
      const { status, stdout, stderr } = await fleet.runSluice(
        exportArgs(
          '-t',
          'orders',
          '-o',
          'format csv, header true',
          '--file-size',
          '1MiB',
          '--compression',
          'gzip',
        ),
      );
      expect(stderr).toMatch(/^export (x\w+) \(sluice fleet show \1\)\n(?:reading.*\n)*$/);
      expect(status).toBe(0);
      expect(stdout).toMatch(
        /^exported 20,000 rows \(2\.\d MB, .* stored\) in \d files to s3:.*fleet-\d+\/ in .*\/s\nmanifest: s3:.*manifest\.json\n$/,
      );
      const keys = await testStack.keys(prefix);
      expect(keys).toContain(`${prefix}manifest.json`);
      expect(keys).toContain(`${prefix}public.orders/part-00000.csv.gz`);
    });

    it('stores the objects with the settings that are asked for', async () => {
      const content = '-t orders --file-size 1MiB --header-in first'.split(' ');
      const settings = '--metadata run-id=7 --storage-class STANDARD_IA --tag team=data'.split(' ');
      const { status } = await fleet.runSluice(
        exportArgs('-o', 'format csv, header true', ...content, ...settings),
      );
      expect(status).toBe(0);
      const keys = await testStack.keys(`${prefix}public.orders/`);
      const texts = await Promise.all(keys.map(async (key) => (await testStack.object(key)).toString()));
      expect(texts.map((text) => text.startsWith('id,filler\n'))).toEqual(
        keys.map((_, index) => index === 0),
      );
      expect(keys.length).toBeGreaterThan(1);
      const head = await testStack.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: keys[1] }));
      expect(head).toMatchObject({ Metadata: { 'run-id': '7' }, StorageClass: 'STANDARD_IA' });
      const { TagSet } = await testStack.s3.send(
        new GetObjectTaggingCommand({ Bucket: BUCKET, Key: keys[1] }),
      );
      expect(TagSet).toEqual([{ Key: 'team', Value: 'data' }]);
    });

    it('prints events, one a line, with --json', async () => {
      const { status, stdout, stderr } = await fleet.runSluice(exportArgs('-q', 'SELECT 1', '--json'));
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const events = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { event: string; rows?: number });
      expect(events.at(0)).toMatchObject({ event: 'submitted' });
      expect(events.at(-1)).toMatchObject({
        event: 'done',
        rows: 1,
        files: 1,
        uri: `s3://${BUCKET}/${prefix}`,
        manifest: `s3://${BUCKET}/${prefix}manifest.json`,
      });
    });

    it("reports an export's error as a local one, and shows it again", async () => {
      const { status, stdout, stderr } = await fleet.runSluice(exportArgs('-q', 'SELECT 1/0 AS x', '--json'));
      expect(status).toBe(1);
      expect(stderr).toBe('sluice: division by zero\n');
      const [, id = ''] = /"id":"(\w+)"/.exec(stdout) ?? [];
      expect(await show(id)).toMatchObject({
        state: 'failed',
        error: { code: null, message: 'division by zero' },
      });
      expect((await sluiceFleet('show', id)).stdout).toContain('\nERROR:  division by zero\n');
      const missing = await fleet.runSluice(exportArgs('-t', 'orderz'));
      expect(missing.status).toBe(1);
      expect(missing.stderr).toMatch(/\nsluice: no table matches "orderz"\n$/);
    });

    it('puts the date and the id in the path', async () => {
      const args = exportArgs('-t', 'orders', '--detach');
      args[1] = `s3://${BUCKET}/${prefix}{{date}}/{{id}}/`;
      const id = (await fleet.runSluice(args)).stdout.trim();
      const { destination } = await untilState(id, 'done');
      expect(destination).toMatch(new RegExp(`^s3://${BUCKET}/${prefix}\\d{4}-\\d\\d-\\d\\d/${id}/$`));
      const keys = await testStack.keys(destination.slice(`s3://${BUCKET}/`.length));
      expect(keys).toHaveLength(2);
    });

    it('Ctrl-C cancels an export that runs, and waits until it has ended', async () => {
      const running = fleet.startSluice(exportArgs('-t', 'slow', '-t', 'orders', '--json'));
      const id = await submittedId(running);
      await untilState(id, 'running');
      running.child.kill('SIGINT');
      const { status, stderr } = await running.finished;
      expect(status).toBe(130);
      expect(stderr).toContain('cancelled');
      expect(await show(id)).toMatchObject({ state: 'cancelled' });
      expect(await testStack.keys(prefix)).toEqual([]);
      expect((await sluiceFleet('cancel', id)).stderr).toContain('has ended already: cancelled');
    });

    it('tells when Redis is lost and back, and goes on', async () => {
      const running = fleet.startSluice(exportArgs('-t', 'brief', '--json'));
      const id = await submittedId(running);
      await untilState(id, 'running');
      await fleet.redis.kill();
      await untilOutput(running, '"event":"redis_lost"');
      await fleet.redis.startAgain();
      const { status, stdout, stderr } = await running.finished;
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain('"event":"redis_back"');
      expect(stdout).toMatch(/"event":"done","uri":"[^"]+","rows":200,/);
    });

    it('applies schedules, runs them, and removes those that are gone', async () => {
      const schedule = (name: string, cron: string, more = {}) => ({
        name,
        cron,
        time_zone: 'Europe/Berlin',
        source: 'sales',
        tables: ['orders'],
        destination: `s3://${BUCKET}/${prefix}${name}/{{date}}-{{time}}/`,
        ...more,
      });
      const nightly = schedule('nightly', '15 2 * * *');
      const first = await fleet.config({ schedules: [nightly, schedule('often', '*/2 * * * * *')] });
      const applied = await fleet.runSluice(['fleet', 'apply', first]);
      expect(applied.stderr).toBe('');
      expect(applied.stdout).toMatch(
        /^added {6}nightly {2}next \d{4}-\d\d-\d\d 02:15:00 Europe\/Berlin, in .*\n/,
      );
      const again = await fleet.runSluice(['fleet', 'apply', first]);
      expect(again.stdout).toMatch(/^unchanged {2}nightly .*\nunchanged {2}often /);
      expect((await sluiceFleet('schedules')).stdout).toMatch(
        /^NAME +CRON +NEXT\nnightly +15 2 \* \* \* +\d{4}-/,
      );

      let done: Shown | undefined;
      while (done === undefined) {
        await delay(300);
        const { exports } = JSON.parse((await sluiceFleet('status', '--json', '--all')).stdout) as {
          exports: Shown[];
        };
        done = exports.find(({ schedule: name, state }) => name === 'often' && state === 'done');
      }
      expect(done.destination).toMatch(/often\/\d{4}-\d\d-\d\d-\d{6}\/$/);
      expect(await testStack.keys(done.destination.slice(`s3://${BUCKET}/`.length))).toHaveLength(2);

      const changed = schedule('nightly', '15 2 * * *', { compression: 'gzip' });
      const second = await fleet.config({ schedules: [changed, schedule('weekly', '0 0 * * sun')] });
      expect((await fleet.runSluice(['fleet', 'apply', second])).stdout).toMatch(
        /^added {6}weekly .*\nchanged {4}nightly .*\nremoved {4}often\n$/,
      );
      const none = await fleet.config();
      expect((await fleet.runSluice(['fleet', 'apply', none])).stdout).toBe(
        'removed    nightly\nremoved    weekly\n',
      );
      expect(JSON.parse((await sluiceFleet('schedules', '--json')).stdout)).toEqual({ schedules: [] });
    });

    it.each([
      [{ cron: '61 * * * *' }, 'schedule "bad": the cron expression "61 * * * *" cannot be used'],
      [{ time_zone: 'Mars/Olympus' }, 'schedule "bad": unknown time zone: "Mars/Olympus"'],
      [
        { destination: `s3://${BUCKET}/{{day}}/` },
        'schedule "bad": unknown placeholder in the path: "{{day}}"',
      ],
    ])('applies nothing when one schedule cannot be used: %j', async (bad, message) => {
      const good = {
        name: 'good',
        cron: '0 0 * * *',
        source: 'sales',
        tables: ['orders'],
        destination: `s3://${BUCKET}/${prefix}`,
      };
      const file = await fleet.config({ schedules: [good, { ...good, name: 'bad', ...bad }] });
      const { status, stdout, stderr } = await fleet.runSluice(['fleet', 'apply', file]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(/\nHINT: {2}/);
      expect(stderr).toContain(message);
      expect((await sluiceFleet('schedules')).stdout).toMatch(/^no schedules/);
    });

    it('serves the dashboard to who has the token, with names in clear and the rest sealed', async () => {
      const running = fleet.startSluice(['fleet', 'dashboard', '--config', config]);
      const output = await untilOutput(running, /at http:\S+;/);
      const url = /at (http:\S+);/.exec(output)?.[1] ?? '';
      const authorization = `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}`;
      expect((await fetch(`${url}/api/queues`)).status).toBe(401);
      const answer = await fetch(
        `${url}/api/queues?activeQueue=exports-sales&status=latest&page=1&jobsPerPage=50`,
        {
          headers: { authorization },
        },
      );
      const text = await answer.text();
      const { queues } = JSON.parse(text) as {
        queues: {
          name: string;
          readOnlyMode: boolean;
          jobs: { id: string; data: object; returnValue: unknown }[];
        }[];
      };
      expect(queues.map(({ name }) => name)).toEqual(['exports-sales', 'pieces-sales']);
      expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
      const done = queues[0]?.jobs.find(({ returnValue }) => returnValue !== null);
      expect(done).toMatchObject({ data: { source: 'sales', request: 'sealed' }, returnValue: 'sealed' });
      expect(text).not.toContain('division by zero');
      for (const [method, path] of [
        ['PUT', `/api/queues/exports-sales/${done?.id}/retry`],
        ['PUT', `/api/queues/exports-sales/${done?.id}/clean`],
        ['PATCH', `/api/queues/exports-sales/${done?.id}/update-data`],
        ['POST', '/api/queues/exports-sales/add'],
        ['PUT', '/api/queues/exports-sales/pause'],
        ['PUT', '/api/queues/exports-sales/concurrency'],
        ['PUT', '/api/queues/exports-sales/obliterate'],
        ['PUT', '/api/queues/exports-sales/empty'],
      ] as const) {
        const refused = await fetch(`${url}${path}`, {
          method,
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify({ name: 'x', data: {}, jobData: {}, concurrency: 1 }),
        });
        expect([method, path, refused.status]).toEqual([method, path, 405]);
      }
      running.child.kill('SIGINT');
      expect((await running.finished).status).toBe(0);
    });
  });

  it('a worker that is stopped hands back what it cannot end in time', async () => {
    const hurried = await fleet.config({ worker: { shutdown_timeout: '1s' } });
    const worker = await fleet.startWorker(hurried);
    const id = (await fleet.runSluice(exportArgs('-t', 'slow', '--detach'))).stdout.trim();
    await untilState(id, 'running');
    worker.child.kill('SIGTERM');
    const { status, stderr } = await worker.finished;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(['waiting', 'running']).toContain((await show(id)).state);
    // Another one takes it.
    const next = await fleet.startWorker(hurried);
    await untilState(id, 'running');
    await sluiceFleet('cancel', id);
    await untilState(id, 'cancelled');
    next.child.kill('SIGINT');
    expect((await next.finished).status).toBe(0);
    expect(await testStack.keys(prefix)).toEqual([]);
    const { Uploads = [] } = await testStack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    expect(Uploads).toEqual([]);
  });

  it('a worker ends after an error that nobody handled, and says so', async () => {
    const bug = `setTimeout(() => { throw new Error('a bug of the test'); }, 1000).unref();`;
    const { finished } = fleet.startSluice(['worker', '--config', config], {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(bug)}`,
    });
    const { status, stdout } = await finished;
    expect(status).toBe(1);
    expect(stdout).toContain('an error that nobody handled: the worker ends');
    expect(stdout).toContain('a bug of the test');
  });

  it('a worker says why it cannot start', async () => {
    const nowhere = await fleet.config({ redis: { url: 'redis://127.0.0.1:1' } });
    const unreachable = await fleet.runSluice(['worker', '--config', nowhere]);
    expect(unreachable.status).toBe(1);
    expect(unreachable.stderr).toMatch(/^sluice: could not connect to Redis at 127\.0\.0\.1:1\nDETAIL/);
    const missing = await fleet.runSluice(['worker', '--config', '/none/fleet.toml']);
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain('could not read the configuration file "/none/fleet.toml"');
    expect((await fleet.runSluice(['worker', '--bogus'])).status).toBe(2);
  });

  it.each([
    [{ token: 'short' }, 'the token of the dashboard is too short'],
    [{}, 'the dashboard needs a token'],
  ])('serves no dashboard without a good token: %j', async (dashboard, message) => {
    const file = await fleet.config({ dashboard: { listen: '127.0.0.1:0', ...dashboard } });
    const { status, stderr } = await fleet.runSluice(['fleet', 'dashboard', '--config', file]);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).toContain('HINT:  Make one with openssl rand -hex 24');
  });
});

describe('options of a fleet', () => {
  const to = ['export', `s3://${BUCKET}/x/`];
  it.each([
    [[...to, '-t', 'a', '--fleet', 'f', '--source', 's', '-d', 'x'], 'in place of --database give --source'],
    [[...to, '-t', 'a', '--fleet', 'f'], 'give --source'],
    [[...to, '-t', 'a', '--fleet', 'f', '--source', 's', '-j', '3'], 'not with --fleet: --jobs'],
    [[...to, '-t', 'a', '--fleet', 'f', '--source', 's', '--profile', 'p'], 'not with --fleet: --profile'],
    [[...to, '-t', 'a', '--fleet', 'f', '--source', 's', '--dry-run'], '--dry-run is not done by a fleet'],
    [
      ['export', 's3://bucket/x.csv', '-q', 'x', '--fleet', 'f', '--source', 's'],
      'end the path with a slash',
    ],
    [[...to, '-t', 'a', '--source', 's'], '--source is for exports on a fleet'],
    [[...to, '-t', 'a', '--detach'], '--detach is for exports on a fleet'],
    [[...to, '-t', 'a', '--fleet', 'f', '--source', 's', '--priority', '0'], 'Expected a whole number'],
    [['fleet', 'bogus'], "unknown command 'bogus'"],
    [['fleet', 'show'], 'missing required argument'],
    [['fleet', 'status', '--bogus'], 'unknown option'],
  ])('%j', async (args, problem) => {
    const { runSluice } = await import('../support/export-command.ts');
    const stack = { stack: { aws: {} } } as unknown as TestStack;
    const { status, stdout, stderr } = await runSluice(stack, args);
    expect(stderr).toContain(problem);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});

/** Of an export that prints events. */
async function submittedId(running: RunningCommand): Promise<string> {
  const read = await untilOutput(running, /"event":"submitted","id":"[^"]+"/);
  return /"event":"submitted","id":"([^"]+)"/.exec(read)?.[1] ?? '';
}

/** What a command has written when that is in it. */
function untilOutput({ child }: RunningCommand, wanted: RegExp | string): Promise<string> {
  return new Promise((resolve, reject) => {
    let read = '';
    child.stdout?.on('data', (data: Buffer) => {
      read += data.toString();
      if (typeof wanted === 'string' ? read.includes(wanted) : wanted.test(read)) resolve(read);
    });
    child.on('close', () => reject(new Error(`it ended: ${read}`)));
  });
}
