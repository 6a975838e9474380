import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { endsSession, endsTransaction, isDatabaseError, sqlStateOf } from './database-error.ts';

function sent(code: string): DatabaseError {
  const error = new DatabaseError('what the server says', 20, 'error');
  return Object.assign(error, { severity: 'FATAL', code });
}
const ofSocket = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

describe('an error of the server', () => {
  it('is told from one of the connection', () => {
    expect([isDatabaseError(sent('42P01')), sqlStateOf(sent('42P01'))]).toEqual([true, '42P01']);
    expect([isDatabaseError(ofSocket), sqlStateOf(ofSocket)]).toEqual([false, undefined]);
    expect([isDatabaseError('42P01'), sqlStateOf({ severity: 'ERROR', code: '42P01' })]).toEqual([
      false,
      undefined,
    ]);
  });

  it.each([
    ['57P01', 'pg_terminate_backend or a shutdown', true, true],
    ['57P02', 'a crash', true, true],
    ['57P04', 'DROP DATABASE', true, true],
    ['57P05', 'idle_session_timeout', true, true],
    ['25P03', 'idle_in_transaction_session_timeout', true, true],
    ['25P04', 'transaction_timeout', true, true],
    ['08P01', 'a pooler', true, true],
    ['40001', 'a recovery conflict', false, true],
    ['08001', "a foreign table's server", false, false],
    ['57014', 'a cancelled query', false, false],
    ['25P02', 'a transaction that has failed', false, false],
    ['22012', 'the query itself', false, false],
  ])('%s, %s: ends the session %s, the transaction %s', (code, _, session, transaction) => {
    expect([endsSession(sent(code)), endsTransaction(sent(code))]).toEqual([session, transaction]);
  });

  it('ends no session when it is not one', () => {
    expect(endsSession(Object.assign(new Error('x'), { code: '57P01' }))).toBe(false);
  });
});
