import type { S3Uri } from '../s3/s3-uri.ts';

/**
 * The multipart uploads that this agent uses, so that a search for a lost one aborts none of them: those whose id it
 * knows, and those that it has asked for and may get the id of any moment.
 */
export class OwnUploads {
  readonly #ids = new Set<string>();
  readonly #asking = new Map<string, number>();

  /** @returns to be called when the answer is there, or lost */
  ask({ bucket, key }: S3Uri): () => void {
    const name = JSON.stringify([bucket, key]);
    this.#asking.set(name, (this.#asking.get(name) ?? 0) + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const others = (this.#asking.get(name) ?? 1) - 1;
      if (others === 0) this.#asking.delete(name);
      else this.#asking.set(name, others);
    };
  }

  isAsking({ bucket, key }: S3Uri): boolean {
    return this.#asking.has(JSON.stringify([bucket, key]));
  }

  add(uploadId: string): void {
    this.#ids.add(uploadId);
  }

  delete(uploadId: string): void {
    this.#ids.delete(uploadId);
  }

  has(uploadId: string): boolean {
    return this.#ids.has(uploadId);
  }
}
