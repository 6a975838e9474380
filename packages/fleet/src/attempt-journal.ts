import { createHash, randomUUID } from 'node:crypto';
import { isSluiceError } from 'sluice';
import { journalEntrySchema, type JournalEntry } from 'sluice/engine';
import { attemptOver, type Attempt, type AttemptContext } from './attempt.ts';

/** Notes entries (field, text, field, text, ...) as long as the attempt has its export. */
const ADD = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], unpack(ARGV, 2))
return 1`;

/**
 * Puts an entry in the place of another. Also after the attempt, while the other is still there: more is known then of
 * something that is being cleaned up.
 */
const REPLACE = `
local isThere = redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1
if not isThere and redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= ARGV[3] then redis.call('HDEL', KEYS[2], ARGV[2]) end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
return 1`;

/** Says that the export is published, for all who would begin it anew. May be sent again when the answer was lost. */
const PUBLISH = `
if redis.call('GET', KEYS[2]) == ARGV[2] then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1`;

const FIELDS_AT_ONCE = 500;
const KEPT_RESULT_S = 8 * 24 * 3600;

export interface JournalField {
  field: string;
  /** Undefined when this fleet has not written it. */
  entry: JournalEntry | undefined;
}

/**
 * The journal of one attempt, in Redis: what its members are doing at S3, one sealed entry for each upload and object. It
 * takes no entry of an attempt that is over: a worker that has slept can't leave anything that nobody knows of.
 */
export class AttemptJournal {
  readonly #context: AttemptContext;
  readonly #attempt: Pick<Attempt, 'exportId' | 'token'>;

  constructor(context: AttemptContext, attempt: Pick<Attempt, 'exportId' | 'token'>) {
    this.#context = context;
    this.#attempt = attempt;
  }

  static askedField(): string {
    return `asked:${randomUUID()}`;
  }

  static uploadField(uploadId: string): string {
    return `upload:${digest([uploadId])}`;
  }

  static objectField({ bucket, key }: { bucket: string; key: string }): string {
    return `object:${digest([bucket, key])}`;
  }

  /** @throws SluiceError `fleet_unavailable`: the attempt is over */
  async add(entries: readonly { field: string; entry: JournalEntry }[]): Promise<void> {
    for (let i = 0; i < entries.length; i += FIELDS_AT_ONCE) {
      const texts = entries
        .slice(i, i + FIELDS_AT_ONCE)
        .flatMap(({ field, entry }) => [field, this.#seal(field, entry)]);
      this.#expectTaken(await this.#context.redis.eval(ADD, 2, ...this.#keys, this.#attempt.token, ...texts));
    }
  }

  /** @throws SluiceError `fleet_unavailable`: the attempt is over, and there is no such entry any more */
  async replace(field: string, by: { field: string; entry: JournalEntry }): Promise<void> {
    const args = [this.#attempt.token, field, by.field, this.#seal(by.field, by.entry)];
    this.#expectTaken(await this.#context.redis.eval(REPLACE, 2, ...this.#keys, ...args));
  }

  async remove(fields: readonly string[]): Promise<void> {
    const { redis, keys } = this.#context;
    for (let i = 0; i < fields.length; i += FIELDS_AT_ONCE) {
      await redis.hdel(keys.journal(this.#attempt.token), ...fields.slice(i, i + FIELDS_AT_ONCE));
    }
  }

  /**
   * Notes that the export is published. From then on it is not begun again, and its objects are not removed.
   *
   * @param result sealed
   * @throws SluiceError `fleet_unavailable`: the attempt is over
   */
  async publish(result: string): Promise<void> {
    const { redis, keys } = this.#context;
    const { exportId, token } = this.#attempt;
    const args = [keys.lease(exportId), keys.published(exportId), token, result, KEPT_RESULT_S];
    this.#expectTaken(await redis.eval(PUBLISH, 2, ...args));
  }

  /** All entries, a few at a time. */
  async *entries(): AsyncGenerator<JournalField[], void, void> {
    const { redis, keys } = this.#context;
    let cursor = '0';
    do {
      const [next, texts] = await redis.hscan(
        keys.journal(this.#attempt.token),
        cursor,
        'COUNT',
        FIELDS_AT_ONCE,
      );
      cursor = next;
      yield Array.from({ length: texts.length / 2 }, (_, index) => ({
        field: texts[2 * index] ?? '',
        entry: this.#open(texts[2 * index] ?? '', texts[2 * index + 1]),
      }));
    } while (cursor !== '0');
  }

  get #keys(): [string, string] {
    const { exportId, token } = this.#attempt;
    return [this.#context.keys.lease(exportId), this.#context.keys.journal(token)];
  }

  #seal(field: string, entry: JournalEntry): string {
    const { exportId, token } = this.#attempt;
    return this.#context.seal.seal('journal', [exportId, token, field], entry);
  }

  #open(field: string, text: unknown): JournalEntry | undefined {
    const { exportId, token } = this.#attempt;
    try {
      return journalEntrySchema.parse(this.#context.seal.open('journal', [exportId, token, field], text));
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      return undefined;
    }
  }

  #expectTaken(answer: unknown): void {
    if (answer !== 1) throw attemptOver();
  }
}

/** Not the name itself: it is nobody's business who can only reach Redis. */
function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
