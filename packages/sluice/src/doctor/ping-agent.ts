import { z } from 'zod';
import { decodeAnswer, encodeRequest } from '../agent/request.ts';
import { withSession } from './session.ts';

const statusSchema = z.object({
  version: z.string(),
  cluster: z.string(),
  region: z.string(),
  exports: z.int(),
});

/** What an agent says of itself. */
export type AgentStatus = z.output<typeof statusSchema>;

/**
 * Asks the agent as the extension does, which speaks PostgreSQL's protocol to it.
 *
 * @throws errors of pg and of Node's sockets; ZodError: the answer is not that of an agent
 */
export function pingAgent(socketDirectory: string, options: { signal: AbortSignal }): Promise<AgentStatus> {
  // Nothing of this may come from PG* variables, which are about the database.
  const settings = {
    host: socketDirectory,
    port: 5432,
    user: 'sluice',
    database: 'sluice',
    password: '',
    ssl: false,
  };
  return withSession(
    settings,
    async (session) => {
      const [row] = await session.query<{ answer: string }>(encodeRequest({ op: 'ping' }));
      return readAgentStatus(decodeAnswer(row?.answer ?? ''));
    },
    options,
  );
}

/** @throws ZodError */
export function readAgentStatus(answer: unknown): AgentStatus {
  return statusSchema.parse(answer);
}
