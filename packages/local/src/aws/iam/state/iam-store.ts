import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { LocalError, systemErrorCode } from '../../../errors.ts';
import { writeAtomically } from '../../../files/write-atomically.ts';
import { iamState, newIamState, type IamState } from './iam-state.ts';

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** A read-only view of the state. */
export type IamView = DeepReadonly<IamState>;

/** The state of IAM, in memory and in one file. Each change replaces the whole file. */
export class IamStore {
  readonly #file: string;
  #state: IamState;
  #lastUpdate: Promise<unknown> = Promise.resolve();

  private constructor(file: string, state: IamState) {
    this.#file = file;
    this.#state = state;
  }

  /** @throws LocalError directory_unusable */
  static async open(directory: string): Promise<IamStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = path.join(directory, 'iam.json');
    const state = await load(file);
    if (state !== undefined) return new IamStore(file, state);
    const store = new IamStore(file, newIamState());
    await store.update(() => undefined);
    return store;
  }

  get state(): IamView {
    return this.#state;
  }

  /**
   * Changes the state; changes are made one after another. If `change` throws, or the file can't be written, the state
   * stays as it was. When the promise resolves, the change is on disk.
   */
  update<Result>(change: (draft: IamState) => Result): Promise<Result> {
    const updated = this.#lastUpdate.then(async () => {
      const draft = structuredClone(this.#state);
      const result = change(draft);
      await writeAtomically(this.#file, `${JSON.stringify(draft, undefined, 2)}\n`);
      this.#state = draft;
      return result;
    });
    this.#lastUpdate = updated.catch(() => undefined);
    return updated;
  }
}

async function load(file: string): Promise<IamState | undefined> {
  try {
    return iamState.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw new LocalError('directory_unusable', `${file} is not the state of a local IAM`, { cause: error });
  }
}
