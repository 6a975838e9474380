import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { openSession, sealSession, type Session } from './session-token.ts';

const key = randomBytes(32).toString('base64');
const session: Session = {
  accessKeyId: 'ASIA',
  secretAccessKey: 'secret',
  issuedAtMs: 1,
  expiresAtMs: 2,
  of: { type: 'role', id: 'AROA', sessionName: 'name' },
  policies: ['{}'],
  policyArns: ['arn:aws:iam::aws:policy/x'],
  tags: { a: 'b' },
  sourceIdentity: 'ana',
};

test('a session is read from its token', () => {
  expect(openSession(sealSession(session, key), key)).toEqual(session);
});

test('a token says nothing to those without the key', () => {
  const token = sealSession(session, key);
  expect(Buffer.from(token, 'base64').includes('secret')).toBe(false);
  expect(openSession(token, randomBytes(32).toString('base64'))).toBeUndefined();
});

test('a token that was changed or cut off, anywhere, is none', () => {
  const token = Buffer.from(sealSession(session, key), 'base64');
  for (let position = 0; position < token.length; position++) {
    const changed = Buffer.from(token);
    changed[position] = (changed[position] ?? 0) ^ 1;
    expect(openSession(changed.toString('base64'), key)).toBeUndefined();
    expect(openSession(token.subarray(0, position).toString('base64'), key)).toBeUndefined();
  }
});

test('two tokens of one session differ', () => {
  expect(sealSession(session, key)).not.toBe(sealSession(session, key));
});
