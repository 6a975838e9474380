import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ArmedPlan } from './armed-plan.ts';
import { describeFault, type AwsFault } from './aws-fault.ts';
import { FaultyAws } from './faulty-aws.ts';

const BODY = Buffer.alloc(1_000_000, 'x');
const ANSWER = '<Result><ETag>"real"</ETag></Result>';
const PATIENCE_MS = 500;

let aws: FaultyAws;
let real: http.Server;
/** The bodies that the real AWS received. */
const taken: Buffer[] = [];

beforeAll(async () => {
  real = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => response.destroy());
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      taken.push(Buffer.concat(chunks));
      response.writeHead(200, { etag: '"real"', 'content-length': ANSWER.length }).end(ANSWER);
    });
  });
  real.listen(0, '127.0.0.1');
  await once(real, 'listening');
  aws = await FaultyAws.start();
  aws.target = `http://127.0.0.1:${(real.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
  real.close();
  real.closeAllConnections();
});

const answer = (fields: object) => expect.objectContaining(fields) as unknown;

/** For each fault, what the client gets, and whether the real AWS received the request. */
const CASES: readonly (readonly [fault: AwsFault, sees: unknown, isDone: boolean])[] = [
  [{ do: 'answer', status: 503, code: 'SlowDown' }, answer({ status: 503 }), false],
  [{ do: 'reset', when: 'before the body' }, 'broken', false],
  [{ do: 'reset', when: 'in the body' }, 'broken', false],
  [{ do: 'reset', when: 'after the body' }, 'broken', false],
  [{ do: 'reset', when: 'after the effect' }, 'broken', true],
  [{ do: 'no-answer', effect: false }, 'no answer', false],
  [{ do: 'no-answer', effect: true }, 'no answer', true],
  [{ do: 'dribble' }, answer({ status: 200, etag: '"real"', body: ANSWER }), true],
  [{ do: 'slow-body' }, answer({ status: 200, etag: '"real"', body: ANSWER }), true],
  [{ do: 'cut-answer' }, 'broken', true],
  [{ do: 'empty-answer' }, answer({ status: 200, etag: undefined, body: '' }), true],
  [{ do: 'truncated-answer' }, answer({ status: 200, body: ANSWER.slice(0, ANSWER.length / 2) }), true],
  [
    { do: 'error-body', effect: false },
    answer({ status: 200, body: expect.stringContaining('<Error>') as unknown }),
    false,
  ],
  [
    { do: 'error-body', effect: true },
    answer({ status: 200, body: expect.stringContaining('<Error>') as unknown }),
    true,
  ],
  [{ do: 'wrong-etag' }, answer({ status: 200, etag: '"00000000000000000000000000000000"' }), true],
  [{ do: 'no-etag' }, answer({ status: 200, etag: undefined, body: '<Result></Result>' }), true],
  [{ do: 'damage-body' }, answer({ status: 200, etag: '"real"' }), true],
  [{ do: 'garbage' }, answer({ status: 200, body: expect.stringContaining('<html>') as unknown }), false],
];

it.each(CASES)('%j', async (fault, sees, isDone) => {
  taken.length = 0;
  const plan = new ArmedPlan(
    { subject: 'run-1/', sessionName: '-' },
    [{ what: 'aws', operation: 'PutObject', nth: 1, times: 1, fault }],
    () => undefined,
  );
  aws.arm(plan);
  const seen = await put('/bucket/run-1/file');
  expect(seen).toEqual(sees);
  const isUnchanged = fault.do !== 'damage-body';
  expect(taken.map((body) => body.equals(BODY))).toEqual(isDone ? [isUnchanged] : []);
  expect(plan.exchanges).toMatchObject([{ operation: 'PutObject', fault: describeFault(fault) }]);
  // The second request has no fault.
  expect(await put('/bucket/run-1/file')).toMatchObject({ status: 200, body: ANSWER });
  aws.forget(plan);
});

it('an error that comes while the body is still sent', async () => {
  const plan = new ArmedPlan(
    { subject: 'run-1/', sessionName: '-' },
    [
      {
        what: 'aws',
        operation: 'PutObject',
        nth: 1,
        times: 1,
        fault: { do: 'answer-early', status: 403, code: 'AccessDenied' },
      },
    ],
    () => undefined,
  );
  aws.arm(plan);
  taken.length = 0;
  // The reset may destroy the answer before a client that is still sending reads it.
  expect(await put('/bucket/run-1/file')).toSatisfy(
    (seen) => seen === 'broken' || (seen as { status: number }).status === 403,
  );
  expect(taken).toEqual([]);
  aws.forget(plan);
});

it('a request of another run meets no fault', async () => {
  const plan = new ArmedPlan(
    { subject: 'run-1/', sessionName: '-' },
    [{ what: 'aws', operation: 'PutObject', nth: 1, times: 1, fault: { do: 'garbage' } }],
    () => undefined,
  );
  aws.arm(plan);
  expect(await put('/bucket/run-10/file')).toMatchObject({ status: 200, body: ANSWER });
  expect(plan.exchanges).toEqual([]);
  aws.forget(plan);
});

function put(path: string): Promise<object | 'no answer' | 'broken'> {
  return new Promise((resolve) => {
    const request = http.request(`${aws.endpoint}${path}`, { method: 'PUT', agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', () => resolve('broken'));
      response.on('end', () => resolve({ status: response.statusCode, etag: response.headers.etag, body }));
    });
    request.setTimeout(PATIENCE_MS, () => {
      resolve('no answer');
      request.destroy();
    });
    request.on('error', () => resolve('broken'));
    request.end(BODY);
  });
}
