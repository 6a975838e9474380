import type { S3Uri } from '../s3/s3-uri.ts';

/**
 * The multipart uploads that this agent uses, so that the search for a lost upload does not abort them: those whose id
 * is known, and the objects for which an upload was requested and the answer is still to come.
 */
export class OwnUploads {
  readonly #ids = new Set<string>();
  readonly #asking = new Map<string, number>();

  /** @returns a function to call when the answer has arrived, or is lost */
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
