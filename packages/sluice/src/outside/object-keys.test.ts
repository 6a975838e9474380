import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { pieceKey, tableFolder } from './object-keys.ts';

describe('tableFolder', () => {
  it.each([
    ['public', 'orders', 'x/public.orders/'],
    ['Sales', 'Größe 2', 'x/Sales.Größe%202/'],
    ['a.b', 'c', 'x/a%2Eb.c/'],
    ['_hidden', '_x', 'x/%5Fhidden.%5Fx/'],
    ['s', '../../etc/passwd', 'x/s.%2E%2E%2F%2E%2E%2Fetc%2Fpasswd/'],
    ['s', '100%', 'x/s.100%25/'],
    ['s', 'a\nb', 'x/s.a%0Ab/'],
  ])('%j.%j', (schema, name, folder) => {
    expect(tableFolder('x/', { schema, name })).toBe(folder);
  });

  it('never gives two tables the same folder', () => {
    const name = fc.string({
      unit: fc.constantFrom('a', '.', '%', '/', '2', 'E', '_', 'é', ' '),
      maxLength: 5,
    });
    fc.assert(
      fc.property(name, name, name, name, (schema, table, otherSchema, otherTable) => {
        fc.pre(schema !== otherSchema || table !== otherTable);
        expect(tableFolder('', { schema, name: table })).not.toBe(
          tableFolder('', { schema: otherSchema, name: otherTable }),
        );
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('pieceKey', () => {
  it.each([
    [0, undefined, 'f/part-00000.csv'],
    [12, 'gzip', 'f/part-00012.csv.gz'],
    [123_456, 'zstd', 'f/part-123456.csv.zst'],
  ] as const)('%d, %s', (index, compression, key) => {
    expect(pieceKey('f/', index, { extension: 'csv' }, compression)).toBe(key);
  });
});
