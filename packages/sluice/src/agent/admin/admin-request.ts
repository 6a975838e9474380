import { join } from 'node:path';
import { z } from 'zod';
import { FEATURE_NAMES } from '../../identity/role-association.ts';

/** A Unix socket's path is cut, or refused, when it is longer: sun_path has 104 bytes on macOS and 108 on Linux. */
const LONGEST_SOCKET_PATH_BYTES = 103;

export const MAX_LINE_BYTES = 64 * 1024;

const association = { roleArn: z.string(), featureName: z.string() };

/** What `sluice role` asks of the agent: one JSON document on a line, answered by another. */
export const adminRequestSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('role-list') }),
  z.strictObject({ op: z.literal('role-add'), ...association }),
  z.strictObject({ op: z.literal('role-remove'), ...association }),
]);
export type AdminRequest = z.output<typeof adminRequestSchema>;

/** What is answered: the associations after what was asked, or why it was not done. */
export const adminAnswerSchema = z.union([
  z.object({
    roles: z.array(
      z.object({
        roleArn: z.string(),
        featureName: z.enum(FEATURE_NAMES),
        status: z.enum(['ACTIVE', 'PENDING', 'INVALID']),
        reason: z.string().optional(),
      }),
    ),
  }),
  z.object({
    error: z.object({ message: z.string(), detail: z.string().optional(), hint: z.string().optional() }),
  }),
]);
export type AdminAnswer = z.output<typeof adminAnswerSchema>;

/** Undefined when the state directory's path is too long to hold a socket. */
export function adminSocketPath(stateDirectory: string): string | undefined {
  const path = join(stateDirectory, 'admin.sock');
  return Buffer.byteLength(path) > LONGEST_SOCKET_PATH_BYTES ? undefined : path;
}
