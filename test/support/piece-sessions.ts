import type pg from 'pg';
import { expect } from 'vitest';
import type { Piece } from '../../packages/sluice/src/tables/piece.ts';
import { copiedRows } from './copied-rows.ts';
import { TestStack } from './test-stack.ts';

/** A stack, and the sessions of an export: one keeps the snapshot, one reads pieces. Tables are made in the schema shop. */
export class PieceSessions {
  readonly testStack: TestStack;
  readonly superuser: pg.Client;
  readonly keeper: pg.Client;
  readonly reader: pg.Client;

  private constructor(testStack: TestStack, superuser: pg.Client, keeper: pg.Client, reader: pg.Client) {
    this.testStack = testStack;
    this.superuser = superuser;
    this.keeper = keeper;
    this.reader = reader;
  }

  static async start(): Promise<PieceSessions> {
    const testStack = await TestStack.start();
    const [superuser, keeper, reader] = [
      await testStack.connect(),
      await testStack.connect(),
      await testStack.connect(),
    ];
    await superuser.query('CREATE SCHEMA shop');
    return new PieceSessions(testStack, superuser, keeper, reader);
  }

  /** Leaves no table, no transaction and no setting to the next test. */
  async clean(): Promise<void> {
    for (const client of [this.reader, this.keeper, this.superuser])
      await client.query('ROLLBACK; RESET ALL');
    await this.superuser.query('DROP SCHEMA shop CASCADE; CREATE SCHEMA shop');
  }

  stop(): Promise<void> {
    return this.testStack.stop();
  }
}

/** The rows of each piece, as COPY writes them. */
export async function readPieces(client: pg.Client, pieces: readonly Piece[]): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { sql } of pieces) rows.push(await copiedRows(client, sql));
  return rows;
}

/** The same rows, each as often, in whatever order. */
export function expectSameRows(read: readonly string[], whole: readonly string[]): void {
  expect(read.length).toBe(whole.length);
  // Not toEqual: a difference in thousands of rows is nothing to print.
  expect(read.toSorted().join('') === whole.toSorted().join(''), 'the pieces differ from the whole').toBe(
    true,
  );
}
