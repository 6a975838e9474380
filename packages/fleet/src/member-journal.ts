import type { MultipartUpload, OpeningAttempt, PublishedObject, UploadJournal } from 'sluice';
import { steadyNow } from 'sluice/engine';
import { attemptOver, isAlive, type Attempt, type AttemptContext } from './attempt.ts';
import { AttemptJournal } from './attempt-journal.ts';

export interface MemberJournalOptions {
  context: AttemptContext;
  attempt: Pick<Attempt, 'exportId' | 'token'>;
  /** Of the bucket. */
  region: string;
  /** Aborted when another attempt may have the export. */
  lost?: AbortSignal | undefined;
  /** The sealed result, which is noted when all is published. */
  result?: () => string;
}

/**
 * Notes what one member of an attempt does at S3. It removes nothing that is left there itself: who cleans up after the
 * attempt does.
 */
export class MemberJournal implements UploadJournal {
  readonly #options: MemberJournalOptions;
  readonly #journal: AttemptJournal;
  readonly #refused = new AbortController();
  #publishing: readonly PublishedObject[] = [];

  constructor(options: MemberJournalOptions) {
    this.#options = options;
    this.#journal = new AttemptJournal(options.context, options.attempt);
  }

  /** Also where Redis knows it before. */
  get lost(): AbortSignal {
    const { lost } = this.#options;
    return lost === undefined ? this.#refused.signal : AbortSignal.any([lost, this.#refused.signal]);
  }

  async opening({ bucket, key }: { bucket: string; key: string }): Promise<OpeningAttempt> {
    const { region } = this.#options;
    const field = AttemptJournal.askedField();
    const asked = { bucket, key, region, askedAt: this.#now() };
    await this.#journal.add([{ field, entry: asked }]);
    return {
      opened: ({ uploadId }) =>
        this.#journal.replace(field, {
          field: AttemptJournal.uploadField(uploadId),
          entry: { bucket, key, region, uploadId },
        }),
      refused: () => this.#journal.remove([field]),
      lost: () => this.#journal.replace(field, { field, entry: { ...asked, lostAt: this.#now() } }),
    };
  }

  closed({ uploadId }: MultipartUpload): Promise<void> {
    return this.#journal.remove([AttemptJournal.uploadField(uploadId)]);
  }

  async publishing(objects: readonly PublishedObject[]): Promise<void> {
    await this.#unlessLost(this.#journal.add(objects.map((object) => this.#entryOf(object))));
    this.#publishing = objects;
  }

  async published(object: PublishedObject): Promise<void> {
    const { field, entry } = this.#entryOf(object);
    await this.#journal.replace(field, { field, entry });
  }

  /** A worker that has slept must not say of an export that it is whole. */
  async publishingLast(): Promise<void> {
    const { context, attempt } = this.#options;
    if (await isAlive(context, attempt)) return;
    this.#refused.abort();
    throw attemptOver();
  }

  async settled({ isPublished }: { isPublished: boolean }): Promise<void> {
    if (isPublished) await this.#unlessLost(this.#journal.publish(this.#options.result?.() ?? ''));
    await this.#forget(this.#publishing);
  }

  async unsettled(objects: readonly PublishedObject[]): Promise<void> {
    const left = new Set(objects.map((object) => AttemptJournal.objectField(object)));
    await this.#forget(this.#publishing.filter((object) => !left.has(AttemptJournal.objectField(object))));
  }

  /** What is not forgotten is found settled by who cleans up. */
  async #forget(objects: readonly PublishedObject[]): Promise<void> {
    await Promise.allSettled([
      this.#journal.remove(objects.map((object) => AttemptJournal.objectField(object))),
    ]);
  }

  async #unlessLost(noted: Promise<void>): Promise<void> {
    try {
      await noted;
    } catch (error) {
      this.#refused.abort();
      throw error;
    }
  }

  #now(): number {
    return this.#options.context.clock.toFleet(steadyNow());
  }

  #entryOf(object: PublishedObject) {
    const { context, region } = this.#options;
    const objects = [{ ...object, askedAt: context.clock.toFleet(object.askedAt) }];
    const entry = { kind: 'publishing' as const, region, objects };
    return { field: AttemptJournal.objectField(object), entry };
  }
}
