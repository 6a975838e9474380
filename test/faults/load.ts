import { setTimeout as delay } from 'node:timers/promises';
import { contentsOf, removeContents } from './bucket-contents.ts';
import { call } from './call.ts';
import type { CopiedBytes } from './copied-bytes.ts';
import { drawExport, queryOf } from './export-draw.ts';
import type { FaultStack } from './fault-stack.ts';
import { SeededRandom } from './seeded-random.ts';
import { storedRows } from './stored-rows.ts';

const CALL_BOUND_MS = 60_000;
/** How long a session waits after a failed export before the next one. */
const AWAY_MS = 100;

export interface LoadResult {
  succeeded: number;
  failed: number;
  wrong: string[];
  /** The failed calls, by key: what they would have stored. */
  failures: Map<string, { query: string; options: string }>;
}

/** Sessions that export continuously until they are stopped. Every success is compared with COPY, and then removed. */
export class Load {
  readonly result: LoadResult = { succeeded: 0, failed: 0, wrong: [], failures: new Map() };
  readonly #stack: FaultStack;
  readonly #copied: CopiedBytes;
  readonly #stopping = new AbortController();
  readonly #sessions: Promise<void>[];

  constructor(
    stack: FaultStack,
    copied: CopiedBytes,
    { sessions, seed }: { sessions: number; seed: number },
  ) {
    this.#stack = stack;
    this.#copied = copied;
    this.#sessions = Array.from({ length: sessions }, (_, index) =>
      this.#run(index, new SeededRandom('load', seed, index)),
    );
  }

  async stop(): Promise<LoadResult> {
    this.#stopping.abort();
    await Promise.all(this.#sessions);
    return this.result;
  }

  async #run(index: number, random: SeededRandom): Promise<void> {
    const { result } = this;
    for (let count = 0; !this.#stopping.signal.aborted; count += 1) {
      // Only roles that may remove objects: the others leave what was published, and nothing could be checked.
      const draw = { ...drawExport(random), role: random.pick(['direct', 'staged'] as const) };
      const session = await this.#stack.connect(draw.role);
      try {
        for (let turn = 0; turn < random.integer(1, 5) && !this.#stopping.signal.aborted; turn += 1) {
          const prefix = `load-${index}-${count}-${turn}/`;
          const key = `${prefix}file`;
          const query = queryOf(draw);
          const outcome = await call(session, { query, key, options: draw.options }, CALL_BOUND_MS);
          if (outcome.state === 'did not end') {
            result.wrong.push(`${key} did not end`);
            return;
          }
          if (outcome.state === 'failed') {
            result.failed += 1;
            result.failures.set(key, { query, options: draw.options });
            await delay(AWAY_MS);
            continue;
          }
          result.succeeded += 1;
          await this.#check(prefix, outcome.row.files, await this.#copied.of(query, draw.options));
        }
      } finally {
        await session.end();
      }
    }
  }

  async #check(prefix: string, files: number, expected: Buffer): Promise<void> {
    const { testStack } = this.#stack;
    const contents = await contentsOf(testStack, prefix);
    const objects: Buffer[] = [];
    // Sorted by key, the files are in order: `file`, `file_part2`, `file_part3`.
    for (const key of contents.keys) objects.push(await storedRows(testStack, key));
    if (objects.length !== files || !Buffer.concat(objects).equals(expected))
      this.result.wrong.push(`${prefix}: ${contents.keys.length} objects, not COPY's bytes in ${files}`);
    await removeContents(testStack, { keys: contents.keys, uploads: [] });
  }
}
