import { COMPRESSED } from './export-draw.ts';
import type { FaultStack } from './fault-stack.ts';

/** The drawn exports have few sizes, so the same ones are needed again. */
const MAX_KEPT_BYTES = 256 * 1024 ** 2;

/** COPY's output for a query, cached for later runs. */
export class CopiedBytes {
  readonly #stack: FaultStack;
  readonly #kept = new Map<string, Buffer>();
  #keptBytes = 0;

  constructor(stack: FaultStack) {
    this.#stack = stack;
  }

  async of(query: string, options: string): Promise<Buffer> {
    const name = JSON.stringify([query, options]);
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const bytes = await this.#stack.asSuperuser((superuser) =>
      this.#stack.testStack.copy(superuser, query, options.replace(COMPRESSED, '')),
    );
    this.#kept.set(name, bytes);
    this.#keptBytes += bytes.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= MAX_KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= length;
    }
    return bytes;
  }
}
