import { z } from 'zod';
import { decodeAnswer, encodeRequest } from '../agent/request.ts';
import { withSession } from './session.ts';

const statusSchema = z.object({
  version: z.string(),
  cluster: z.string(),
  region: z.string(),
  exports: z.int(),
});

/** The agent's answer to a ping. */
export type AgentStatus = z.output<typeof statusSchema>;

/**
 * Sends a ping to the agent like the extension does, over PostgreSQL's protocol.
 *
 * @throws errors of pg and of Node's sockets; ZodError: the answer is not that of an agent
 */
export function pingAgent(socketDirectory: string, options: { signal: AbortSignal }): Promise<AgentStatus> {
  // All settings are given, so that none is taken from the PG* variables, which are about the database.
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
