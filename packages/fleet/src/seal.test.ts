import { describe, expect, it } from 'vitest';
import { Seal } from './seal.ts';

const seal = new Seal(Buffer.alloc(32, 1).toString('base64'));
const CONTEXT = ['export-1', 'attempt-1', '5'];

describe('Seal', () => {
  it('opens what it has sealed, and shows nothing of it', () => {
    const sealed = seal.seal('piece', CONTEXT, { sql: 'SELECT secret', rows: 2n ** 60n });
    expect(seal.open('piece', CONTEXT, sealed)).toEqual({ sql: 'SELECT secret', rows: String(2n ** 60n) });
    expect(Buffer.from(sealed, 'base64').toString('latin1')).not.toMatch(/secret|sql/);
    expect(seal.seal('piece', CONTEXT, 1)).not.toBe(seal.seal('piece', CONTEXT, 1));
  });

  it('refuses what was changed in any byte, or cut', () => {
    const bytes = Buffer.from(seal.seal('piece', CONTEXT, 'value'), 'base64');
    for (let index = 0; index < bytes.byteLength; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => seal.open('piece', CONTEXT, changed.toString('base64'))).toThrow(
        'was not sealed by this fleet',
      );
    }
    for (let length = 0; length < bytes.byteLength; length += 1) {
      const cut = bytes.subarray(0, length).toString('base64');
      expect(() => seal.open('piece', CONTEXT, cut)).toThrow('was not sealed by this fleet');
    }
  });

  it.each([
    ['another purpose', 'result', CONTEXT],
    ['another export', 'piece', ['export-2', 'attempt-1', '5']],
    ['another attempt', 'piece', ['export-1', 'attempt-2', '5']],
    ['another piece', 'piece', ['export-1', 'attempt-1', '6']],
    ['a context that reads the same when joined', 'piece', ['export-1', 'attempt-1,5']],
    ['a shorter context', 'piece', ['export-1', 'attempt-1']],
  ] as const)('refuses what is of %s', (_, purpose, context) => {
    const sealed = seal.seal('piece', CONTEXT, 'value');
    expect(() => seal.open(purpose, context, sealed)).toThrow('was not sealed by this fleet');
  });

  it('refuses what another key has sealed, and what is no text at all', () => {
    const other = new Seal(Buffer.alloc(32, 2).toString('base64'));
    expect(() => seal.open('piece', CONTEXT, other.seal('piece', CONTEXT, 'value'))).toThrow(
      'was not sealed',
    );
    for (const value of [undefined, null, 5, {}, [], '', 'x']) {
      expect(() => seal.open('piece', CONTEXT, value)).toThrow('was not sealed by this fleet');
    }
  });

  it.each([
    '',
    'short',
    Buffer.alloc(31).toString('base64'),
    Buffer.alloc(33).toString('base64'),
    '!'.repeat(43),
  ])('takes no other key than 32 bytes in base64: %j', (key) => {
    expect(() => new Seal(key)).toThrow('fleet.key: expected 32 bytes in base64');
  });
});
