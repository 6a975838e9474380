import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { GeneratedTable, WriteKind } from './arbitrary-tables.ts';
import type { TestStack } from './test-stack.ts';

export type WriteCounts = Readonly<Record<WriteKind, number>>;

/** What each session does, over and over, to one table after another. */
const SESSIONS: readonly (readonly WriteKind[])[] = [['insert', 'delete'], ['update'], ['vacuum']];
/** Between two statements: the export needs the processor, too. */
const PAUSE_MS = 3;
/** deadlock_detected; serialization_failure, which an update raises when its row went to another partition just then. */
const HAPPENS = new Set(['40P01', '40001']);

/** Sessions that change tables, until they are stopped. */
export class TableWriters {
  readonly #sessions: readonly pg.Client[];
  readonly #work: Promise<unknown>;
  readonly #committed: Record<WriteKind, number> = { insert: 0, update: 0, delete: 0, vacuum: 0 };
  #isOver = false;

  private constructor(sessions: readonly pg.Client[], tables: readonly GeneratedTable[]) {
    this.#sessions = sessions;
    this.#work = Promise.all(
      sessions.map((session, index) => this.#write(session, SESSIONS[index] ?? [], tables)),
    );
    // It is told by stop.
    this.#work.catch(() => undefined);
  }

  /** @param searchPath what finds the tables */
  static async start(
    testStack: TestStack,
    tables: readonly GeneratedTable[],
    searchPath: string,
  ): Promise<TableWriters> {
    const sessions = await Promise.all(SESSIONS.map(() => testStack.connect()));
    for (const session of sessions) await session.query(`SET search_path = ${searchPath}`);
    return new TableWriters(sessions, tables);
  }

  /** How many statements have been committed so far. */
  get committed(): WriteCounts {
    return { ...this.#committed };
  }

  /** Waits until each kind of statement was committed once more. */
  async everyKindOnceMore(): Promise<void> {
    const before = this.committed;
    const isDone = (): boolean => Object.values(this.since(before)).every((count) => count > 0);
    while (!isDone()) await Promise.race([delay(5), this.#work.then(() => delay(5))]);
  }

  since(before: WriteCounts): WriteCounts {
    const { insert, update, delete: deleted, vacuum } = this.#committed;
    return {
      insert: insert - before.insert,
      update: update - before.update,
      delete: deleted - before.delete,
      vacuum: vacuum - before.vacuum,
    };
  }

  /** @throws what was none of the errors that concurrent writers meet */
  async stop(): Promise<void> {
    this.#isOver = true;
    try {
      await this.#work;
    } finally {
      await Promise.all(this.#sessions.map((session) => session.end()));
    }
  }

  async #write(
    session: pg.Client,
    kinds: readonly WriteKind[],
    tables: readonly GeneratedTable[],
  ): Promise<void> {
    for (let n = 0; !this.#isOver; n += 1) {
      const table = tables[n % tables.length];
      const kind = kinds[Math.floor(n / tables.length) % kinds.length];
      const statement = kind === undefined ? undefined : table?.write(kind, n);
      if (kind === undefined || statement === undefined) continue;
      try {
        await session.query(statement);
        this.#committed[kind] += 1;
        await delay(PAUSE_MS);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && HAPPENS.has(String(error.code)))) throw error;
      }
    }
  }
}
