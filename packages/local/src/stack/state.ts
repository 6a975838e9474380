import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { newAccessKeyId, newSecretAccessKey } from '../aws/iam/ids.ts';
import { LocalError, systemErrorCode } from '../errors.ts';
import { writeAtomically } from '../files/write-atomically.ts';

const accessKey = z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) });

const schema = z.object({
  version: z.literal(1),
  postgres: z.object({
    /**
     * The password of the superuser `postgres`. It is random, so that other users of this machine can't become
     * superuser.
     */
    password: z.string().min(1),
    /** Set when the data is elsewhere, because PostgreSQL's user can't enter the state directory. */
    dataDirectory: z.string().optional(),
  }),
  /** The key of the account's administrator. */
  aws: accessKey,
  /** The key with which the agent calls as the service rds.amazonaws.com, which the roles of the guide trust. */
  rdsService: accessKey.default(newAccessKey),
});

/** What a state directory keeps from one run to the next, in `state.json`. */
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
    const stored: unknown = JSON.parse(content);
    const state = schema.parse(stored);
    // The file is of an earlier version, and lacked what was just generated.
    if (!isDeepStrictEqual(stored, state)) await saveState(directory, state);
    return state;
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
    aws: newAccessKey(),
    rdsService: newAccessKey(),
  };
}

function newAccessKey(): z.output<typeof accessKey> {
  return { accessKeyId: newAccessKeyId('AKIA'), secretAccessKey: newSecretAccessKey() };
}
