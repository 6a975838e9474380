import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exportQuery, TestStack } from '../support/test-stack.ts';

let testStack: TestStack;
let superuser: pg.Client;
/** May export. */
let mallory: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  mallory = await testStack.connect(await testStack.createRole(superuser, { mayExport: true }));
});
afterEach(() => testStack.expectNothingLeft(superuser, mallory));
afterAll(async () => testStack?.stop());

describe('options that would be too much for a parser', () => {
  it.each([
    ['a sum', `(format csv); SELECT ${'1+'.repeat(49_000)}1`],
    ['parentheses', `x ${'('.repeat(90_000)}`],
    ['comments', `${'/*'.repeat(40_000)}${'*/'.repeat(40_000)} x`],
  ])('%s, forty times, while another session exports, and afterwards', async (_, options) => {
    const { pid } = testStack.stack.agent;
    const exportCsv = () => exportQuery(superuser, 'SELECT 1 AS a', 'meanwhile', 'format csv, header');
    const over = new AbortController();
    const attack = async () => {
      for (let time = 0; time < 40; time += 1) {
        await expect(exportQuery(mallory, 'SELECT 1', 'hostile', options)).rejects.toMatchObject({
          code: '42601',
        });
      }
    };
    const attacked = attack().finally(() => over.abort());
    while (!over.signal.aborted) expect(await exportCsv()).toMatchObject({ rows: 1 });
    await attacked;
    expect(await exportCsv()).toMatchObject({ rows: 1 });
    expect(await exportQuery(mallory, 'SELECT 1 AS a', 'mallory', 'format csv')).toMatchObject({ rows: 1 });
    expect(testStack.stack.agent.pid).toBe(pid);
    expect(await testStack.keys('hostile')).toEqual([]);
  });

  it('a query of a million characters in 240,000 words, while another session exports', async () => {
    const query = `SELECT 1 ${'--;\n'.repeat(240_000)} AS a; --`;
    const over = new AbortController();
    const attack = async () => {
      for (let time = 0; time < 5; time += 1)
        expect(await exportQuery(mallory, query, 'long')).toMatchObject({ rows: 1 });
    };
    const attacked = attack().finally(() => over.abort());
    while (!over.signal.aborted)
      expect(await exportQuery(superuser, 'SELECT 1; --', 'meanwhile', 'format csv, header')).toMatchObject({
        rows: 1,
      });
    await attacked;
  });

  it('and the agent ends when it is told to', async () => {
    const { pid } = testStack.stack.agent;
    await expect(
      exportQuery(mallory, 'SELECT 1', 'hostile', `(format csv); SELECT ${'1+'.repeat(49_000)}1`),
    ).rejects.toMatchObject({ code: '42601' });
    process.kill(pid, 'SIGTERM');
    await testStack.agentReplaced(pid);
    expect(await testStack.agentLog()).toContain('agent stopped');
    expect(await exportQuery(mallory, 'SELECT 1', 'mallory', 'format csv')).toMatchObject({ rows: 1 });
  });
});
