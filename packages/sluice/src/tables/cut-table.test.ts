import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutTable } from './cut-table.ts';
import { MAX_PIECES } from './piece.ts';
import type { Relation, Table } from './table.ts';

const MIB = 2 ** 20;

function relation(changes: Partial<Relation>): Relation {
  return {
    oid: 1,
    schema: 's',
    name: 't',
    kind: 'table',
    hasTidScans: true,
    pages: 0,
    heapBytes: (changes.pages ?? 0) * 8192,
    toastBytes: 0,
    estimatedRows: undefined,
    ...changes,
  };
}

function table(...relations: Relation[]): Table {
  return {
    oid: 1,
    schema: 's',
    name: 't',
    kind: relations.length > 1 ? 'partitioned table' : 'table',
    columns: [{ name: 'a', type: 'integer' }],
    relations,
    isLockable: true,
  };
}

describe('cutTable', () => {
  it('cuts 1 GiB into four pieces of 256 MiB', () => {
    const pieces = cutTable(table(relation({ pages: 131_072, estimatedRows: 4e6 })), {
      pieceBytes: 256 * MIB,
    });
    expect(pieces.map(({ sql, ...rest }) => ({ where: sql.replace(/.*WHERE /, ''), ...rest }))).toMatchObject(
      [
        {
          where: `ctid OPERATOR(pg_catalog.<) '(32768,0)'::pg_catalog.tid`,
          index: 0,
          estimatedRows: 1e6,
          pages: 32_768,
        },
        {
          where: `ctid OPERATOR(pg_catalog.>=) '(32768,0)'::pg_catalog.tid AND ctid OPERATOR(pg_catalog.<) '(65536,0)'::pg_catalog.tid`,
          estimatedBytes: 256 * MIB,
        },
        { index: 2 },
        { where: `ctid OPERATOR(pg_catalog.>=) '(98304,0)'::pg_catalog.tid`, index: 3 },
      ],
    );
  });

  it('counts TOAST: 3 GB of heap with 936 GB of TOAST are not one piece', () => {
    const big = relation({ pages: 400_000, toastBytes: 936e9 });
    const pieces = cutTable(table(big), { pieceBytes: 256 * MIB });
    expect(pieces.length).toBeGreaterThan(3000);
    expect(Math.max(...pieces.map(({ estimatedBytes }) => estimatedBytes))).toBeLessThan(270 * MIB);
  });

  it('does not cut what has no TID range scan', () => {
    const pieces = cutTable(table(relation({ pages: 1e6, hasTidScans: false })), { pieceBytes: MIB });
    expect(pieces.map(({ sql }) => sql)).toEqual(['SELECT "a" FROM ONLY "s"."t"']);
  });

  it('numbers the pieces of all leaves through', () => {
    const leaves = ['p1', 'p2', 'p3'].map((name) => relation({ name, pages: 256 }));
    const pieces = cutTable(table(...leaves), { pieceBytes: MIB });
    expect(pieces.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(pieces.map(({ sql }) => /"p\d"/.exec(sql)?.[0])).toEqual([
      '"p1"',
      '"p1"',
      '"p2"',
      '"p2"',
      '"p3"',
      '"p3"',
    ]);
  });

  it('makes larger pieces before there are too many of them', () => {
    const pieces = cutTable(table(relation({ pages: 1e9 })), { pieceBytes: 1 });
    expect(pieces.length).toBeGreaterThan(MAX_PIECES / 2);
    expect(pieces.length).toBeLessThanOrEqual(MAX_PIECES);
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity])('refuses pieces of %s bytes', (pieceBytes) => {
    expect(() => cutTable(table(relation({})), { pieceBytes })).toThrow(
      `a piece cannot have ${pieceBytes} bytes`,
    );
  });

  it('has every page in one piece, without a gap, and none without pages', () => {
    const pages = fc.integer({ min: 0, max: 5000 });
    fc.assert(
      fc.property(pages, fc.nat(1e8), fc.integer({ min: 1, max: 1e8 }), (count, toastBytes, pieceBytes) => {
        const pieces = cutTable(table(relation({ pages: count, toastBytes })), { pieceBytes });
        const ends = pieces.map(({ sql }) => [/>=\) '\((\d+)/.exec(sql)?.[1], /<\) '\((\d+)/.exec(sql)?.[1]]);
        expect(ends[0]?.[0]).toBeUndefined();
        expect(ends.at(-1)?.[1]).toBeUndefined();
        expect(ends.slice(1).map(([from]) => from)).toEqual(ends.slice(0, -1).map(([, to]) => to));
        const bounds = ends.slice(1).map(([from]) => Number(from));
        expect(new Set([0, ...bounds]).size).toBe(pieces.length);
        expect(pieces.reduce((sum, piece) => sum + piece.pages, 0)).toBe(count);
      }),
    );
  });
});
