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
    /** Of the superuser. Random: whoever has another account on this machine must not get a superuser for free. */
    password: z.string().min(1),
    /** Set when the state directory is closed to PostgreSQL's user, so that the data lies elsewhere. */
    dataDirectory: z.string().optional(),
  }),
  /** The key of the account's administrator. */
  aws: accessKey,
  /** The key with which the agent calls as the service rds.amazonaws.com, which the roles of the guide trust. */
  rdsService: accessKey.default(newAccessKey),
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
    const stored: unknown = JSON.parse(content);
    const state = schema.parse(stored);
    // One of an earlier version, which lacked what was just made.
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
