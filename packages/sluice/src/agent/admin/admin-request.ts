import { join } from 'node:path';
import { z } from 'zod';
import { FEATURE_NAMES } from '../../identity/role-association.ts';

/** The longest path of a Unix socket that works everywhere: sun_path has 104 bytes on macOS and 108 on Linux. */
const LONGEST_SOCKET_PATH_BYTES = 103;

export const MAX_LINE_BYTES = 64 * 1024;

const association = { roleArn: z.string(), featureName: z.string() };

/** What `sluice role` asks of the agent: one JSON document on a line. The answer is a JSON document on a line, too. */
export const adminRequestSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('role-list') }),
  z.strictObject({ op: z.literal('role-add'), ...association }),
  z.strictObject({ op: z.literal('role-remove'), ...association }),
]);
export type AdminRequest = z.output<typeof adminRequestSchema>;

/** The answer: the role associations after the request, or the error for which the request was refused. */
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

/** Undefined when the path of the state directory is too long for a socket in it. */
export function adminSocketPath(stateDirectory: string): string | undefined {
  const path = join(stateDirectory, 'admin.sock');
  return Buffer.byteLength(path) > LONGEST_SOCKET_PATH_BYTES ? undefined : path;
}
