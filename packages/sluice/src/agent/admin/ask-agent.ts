import { once } from 'node:events';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { errnoOf, SluiceError } from '../../errors.ts';
import type { RoleReport } from '../../identity/cluster-roles.ts';
import { adminAnswerSchema, adminSocketPath, type AdminRequest } from './admin-request.ts';

const TIMEOUT_MS = 30_000;

/**
 * Asks the agent that runs with this state directory.
 *
 * @throws SluiceError `agent_unavailable`: no agent runs, or this user may not reach it; `config_invalid`: the path is
 *   too long for a socket; `invalid_argument`: the agent refused the request
 */
export async function askAgent(
  stateDirectory: string,
  request: AdminRequest,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<readonly RoleReport[]> {
  const path = adminSocketPath(stateDirectory);
  if (path === undefined) {
    throw new SluiceError(
      'config_invalid',
      `agent.state_directory: "${stateDirectory}" is too long for a socket in it`,
      {
        hint: 'Give the agent a state directory with a shorter path.',
      },
    );
  }
  const line = await exchange(path, `${JSON.stringify(request)}\n`, signal);
  const answer = adminAnswerSchema.safeParse(parseJson(line));
  if (!answer.success) {
    throw new SluiceError('agent_unavailable', `the agent at "${path}" gave no answer that makes sense`, {
      detail: line === '' ? 'It closed the connection.' : undefined,
      hint: 'Look at its log. Is it of the same version as this command?',
    });
  }
  if ('roles' in answer.data) return answer.data.roles;
  const { message, detail, hint } = answer.data.error;
  throw new SluiceError('invalid_argument', message, { detail, hint });
}

async function exchange(path: string, line: string, signal: AbortSignal | undefined): Promise<string> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const socket = createConnection({ path });
  // `once` and `text` below reject on an error. Between them an error without a listener would end the process.
  socket.on('error', () => undefined);
  const stop = (): void => {
    socket.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} seconds`));
  };
  either.addEventListener('abort', stop, { once: true });
  try {
    await once(socket, 'connect');
    socket.write(line);
    return await text(socket);
  } catch (error) {
    signal?.throwIfAborted();
    throw unreachable(path, error);
  } finally {
    either.removeEventListener('abort', stop);
    socket.destroy();
  }
}

function unreachable(path: string, error: unknown): SluiceError {
  const code = errnoOf(error);
  const detail = error instanceof Error ? error.message : String(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return new SluiceError('agent_unavailable', `not allowed to reach the agent at "${path}"`, {
      cause: error,
      detail,
      hint: 'Run this command as the operating system user of the agent: sudo -u postgres sluice role ...',
    });
  }
  return new SluiceError('agent_unavailable', `no agent answers at "${path}"`, {
    cause: error,
    detail,
    hint: "Is the agent running (sluice agent)? Name its configuration file with --config, if this command's is another.",
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
