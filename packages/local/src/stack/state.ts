import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LocalError, systemErrorCode } from '../errors.ts';
import { writeAtomically } from '../files/write-atomically.ts';

const schema = z.object({
  version: z.literal(1),
  postgres: z.object({
    /** Of the superuser. Random: whoever has another account on this machine must not get a superuser for free. */
    password: z.string().min(1),
    /** Set when the state directory is closed to PostgreSQL's user, so that the data lies elsewhere. */
    dataDirectory: z.string().optional(),
  }),
  aws: z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) }),
});

/** What a state directory remembers from one run to the next, in `state.json`. */
export type State = z.output<typeof schema>;

export async function loadState(directory: string): Promise<State> {
  const file = join(directory, 'state.json');
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    const state = newState();
    await saveState(directory, state);
    return state;
  }
  try {
    return schema.parse(JSON.parse(content));
  } catch (error) {
    throw new LocalError('directory_unusable', `${file} is not the state of a local stack`, {
      cause: error,
      hint: 'Choose another directory with --dir, or remove this one to begin anew.',
    });
  }
}

export async function saveState(directory: string, state: State): Promise<void> {
  await writeAtomically(join(directory, 'state.json'), `${JSON.stringify(state, undefined, 2)}\n`);
}

function newState(): State {
  return {
    version: 1,
    postgres: { password: randomBytes(18).toString('base64url') },
    aws: { accessKeyId: newAccessKeyId(), secretAccessKey: randomBytes(30).toString('base64url') },
  };
}

/** The form of a real one, so that tools that check it are content: AKIA and 16 letters or digits from base 32. */
function newAccessKeyId(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return `AKIA${Array.from(randomBytes(16), (byte) => letters[byte % letters.length]).join('')}`;
}
