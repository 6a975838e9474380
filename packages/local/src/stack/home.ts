import { join } from 'node:path';
import { stopLeftoverServer } from '../postgres/leftover-server.ts';
import { postgresOsUser } from '../process/os-user.ts';
import { stopLeftoverAgent } from './agent-process.ts';
import type { CleanUp } from './clean-up.ts';
import { lockState } from './lock.ts';
import type { CheckedOptions } from './options.ts';
import { makeRunDirectory, type RunDirectory } from './run-directory.ts';
import { findDataDirectory, makeStateDirectory, removeState } from './state-directory.ts';
import { loadState, type State } from './state.ts';

/** The places on disk of one running stack. */
export interface Home {
  directory: string;
  isTemporary: boolean;
  dataDirectory: string;
  state: State;
  run: RunDirectory;
}

/** Locks the state directory, and ends what an earlier run left running there. */
export async function openHome({ dir, log }: CheckedOptions, cleanUp: CleanUp): Promise<Home> {
  const osUser = postgresOsUser();
  const { path: directory, isTemporary } = await makeStateDirectory(dir, osUser);
  let dataDirectory: string | undefined;
  if (isTemporary) cleanUp.add(() => removeState(directory, dataDirectory));
  const lock = await lockState(directory);
  cleanUp.add(() => lock.release());

  const state = await loadState(directory);
  dataDirectory = await findDataDirectory(directory, state, osUser, log);
  await stopLeftoverAgent({ ...agentFiles(directory), log });
  await stopLeftoverServer(dataDirectory, log);
  const run = await makeRunDirectory(directory, osUser);
  cleanUp.add(() => run.remove());
  return { directory, isTemporary, dataDirectory, state, run };
}

/** The socket of the agent's RDS API, to which the local AWS forwards. */
export function rdsSocket(run: RunDirectory): string {
  return join(run.path, 'rds.sock');
}

export function agentFiles(directory: string) {
  return { configFile: join(directory, 'sluice.toml'), pidFile: join(directory, 'agent', 'pid') };
}

export function logFile(directory: string, of: 'agent' | 'postgres'): string {
  return join(directory, 'logs', `${of}.log`);
}
