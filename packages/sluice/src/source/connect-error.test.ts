import { describe, expect, it } from 'vitest';
import { isSluiceError } from '../errors.ts';
import { connectError } from './connect-error.ts';

const SETTINGS = new Map([
  ['host', 'db.example'],
  ['port', '6432'],
  ['dbname', 'sales'],
  ['user', 'reader'],
]);

describe('a connection that a pooler refuses', () => {
  it.each([
    ['unsupported startup parameter: options', /ignore_startup_parameters/, false],
    ['query_wait_timeout', /one more than --jobs/, true],
    ['no such user', /Does psql connect/, false],
  ])('%s', (message, hint, retryable) => {
    const error = connectError(Object.assign(new Error(message), { code: '08P01' }), SETTINGS);
    if (!isSluiceError(error)) throw error;
    expect(error).toMatchObject({ code: 'database_unavailable', detail: `${message}.`, retryable });
    expect(error.hint).toMatch(hint);
  });
});
