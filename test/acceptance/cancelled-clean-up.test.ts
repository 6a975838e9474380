import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestStack } from '../support/test-stack.ts';

let testStack: TestStack;
let superuser: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  await superuser.query('CREATE SEQUENCE public.calls');
});
afterAll(async () => testStack?.stop());

/**
 * In place of a function that closes the connection to the agent, one that is cancelled before it does anything, when it
 * is called for the first time: a cancel at that moment, which is too short to be met from outside.
 */
async function cancelFirst(signature: string, call: string): Promise<void> {
  const [, name = ''] = /^sluice\.(\w+)/.exec(signature) ?? [];
  await superuser.query(`
    ALTER SEQUENCE public.calls RESTART;
    ALTER FUNCTION ${signature} RENAME TO uncancelled_${name};
    CREATE FUNCTION ${signature} RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      IF nextval('public.calls') = 1 THEN
        RAISE query_canceled;
      END IF;
      PERFORM sluice.uncancelled_${call};
    END $$`);
}

async function restore(signature: string): Promise<void> {
  const [, name = '', argumentTypes = ''] = /^sluice\.(\w+)(.*)$/.exec(signature) ?? [];
  await superuser.query(`
    DROP FUNCTION ${signature};
    ALTER FUNCTION sluice.uncancelled_${name}${argumentTypes} RENAME TO ${name}`);
}

describe.each([
  {
    what: 'an export that failed',
    call: `'SELECT 1', 'no-such-bucket', 'key', 'us-west-2'`,
    signature: 'sluice.abort(connection text, state text)',
    inner: 'abort(connection, state)',
  },
  {
    what: 'a query that was refused',
    call: `'SELECT 1; SELECT 2', 'no-such-bucket', 'key', 'us-west-2'`,
    signature: 'sluice.disconnect(connection text)',
    inner: 'disconnect(connection)',
  },
])('a cancel during the clean-up of $what', ({ call, signature, inner }) => {
  beforeEach(async () => cancelFirst(signature, inner));
  afterEach(async () => restore(signature));

  it.each(['superuser', 'ordinary role'])('leaves no connection in the session of a %s', async (who) => {
    const role = await testStack.createRole(superuser, { mayExport: true });
    const session = await testStack.connect(who === 'superuser' ? undefined : role);
    await expect(session.query(`SELECT aws_s3.query_export_to_s3(${call})`)).rejects.toMatchObject({
      code: '57014',
    });
    await testStack.expectNothingLeft(session);
  });
});
