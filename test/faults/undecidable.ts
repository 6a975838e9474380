import { isDoneInSecret, type AwsExchange } from './aws-exchange.ts';
import type { ExportRole } from './export-draw.ts';

/** One thing that a failed call left in the bucket, and what is known of how it came there. */
export interface Leftover {
  kind: 'object' | 'upload';
  key: string;
  role: ExportRole;
  /** Of an object: it is exactly the file that COPY's bytes make. */
  isWhole: boolean;
  /** The error of the call, or an error in the agent's log, names it. */
  isNamed: boolean;
  /** The agent's log says that the export was committed. */
  isCommitted: boolean;
  /** The call lost its session or the agent, or was cancelled, by the plan. */
  callerLost: boolean;
  agentLost: boolean;
  /** The requests about its key. */
  exchanges: readonly AwsExchange[];
}

/** A case in which nobody could have done better. RELIABILITY.md explains each under its name. */
export interface Rule {
  name: string;
  holds: (leftover: Leftover) => boolean;
}

const PUBLISHING = new Set(['PutObject', 'CompleteMultipartUpload']);

export const RULES: readonly Rule[] = [
  {
    name: 'success-not-heard',
    holds: ({ kind, isWhole, isCommitted, callerLost }) =>
      kind === 'object' && isWhole && isCommitted && callerLost,
  },
  {
    name: 'lost-answer-may-not-look',
    holds: ({ kind, role, isWhole, isNamed, exchanges }) =>
      kind === 'object' &&
      isGuides(role) &&
      isWhole &&
      isNamed &&
      exchanges.some((exchange) => PUBLISHING.has(exchange.operation) && isDoneInSecret(exchange)),
  },
  {
    name: 'lost-upload-may-not-list',
    holds: ({ kind, role, isNamed, exchanges }) =>
      kind === 'upload' &&
      isGuides(role) &&
      isNamed &&
      exchanges.some(
        (exchange) => exchange.operation === 'CreateMultipartUpload' && isDoneInSecret(exchange),
      ),
  },
  {
    name: 'may-not-remove',
    holds: ({ kind, role, isWhole, isNamed }) => kind === 'object' && isGuides(role) && isWhole && isNamed,
  },
  {
    name: 'etag-falsified',
    holds: ({ kind, isWhole, isNamed, exchanges }) =>
      kind === 'object' && isWhole && isNamed && exchanges.some(({ fault }) => fault === 'wrong-etag'),
  },
];

/** The guide's sample policy has neither s3:GetObject nor s3:DeleteObject nor s3:ListBucketMultipartUploads. */
function isGuides(role: ExportRole): boolean {
  return role.startsWith('guide_');
}
