import type { S3Operation } from './aws-operation.ts';
import { isDoneInSecret, type AwsExchange } from './aws-exchange.ts';
import type { ExportRole } from './export-draw.ts';

/** Something that a failed call left in the bucket, and what is known about it. */
export interface Leftover {
  kind: 'object' | 'upload';
  key: string;
  role: ExportRole;
  /** Objects only: it is exactly the file that COPY's bytes make. */
  isWhole: boolean;
  /** The error of the call, or an error in the agent's log, contains its name. */
  isNamed: boolean;
  /** The agent's log says that the export was committed. */
  isCommitted: boolean;
  /** The plan has ended the session or the agent, or has cancelled the call. */
  callerLost: boolean;
  /** The agent was killed by SIGKILL, and could not note anything any more. */
  agentKilled: boolean;
  /** Objects only: the other objects of the export exist, too. */
  isComplete: boolean;
  /** The requests for its key. */
  exchanges: readonly AwsExchange[];
}

/** A case that no implementation could avoid. RELIABILITY.md explains each one under its name. */
export interface Rule {
  name: string;
  holds: (leftover: Leftover) => boolean;
}

const REFUSED =
  /^answer(-early)? (301 PermanentRedirect|400 InvalidRequest|403 AccessDenied|404 NoSuchBucket|412 PreconditionFailed)$/;
const PUBLISHING = new Set(['PutObject', 'CompleteMultipartUpload']);

export const RULES: readonly Rule[] = [
  {
    name: 'success-not-heard',
    holds: ({ kind, isWhole, isCommitted, callerLost }) =>
      kind === 'object' && isWhole && isCommitted && callerLost,
  },
  {
    name: 'killed-before-the-answer',
    holds: ({ kind, isWhole, isComplete, agentKilled }) =>
      kind === 'object' && isWhole && isComplete && agentKilled,
  },
  {
    name: 'lost-answer-may-not-look',
    holds: (leftover) =>
      isNamedObject(leftover) &&
      mayNot(leftover, 'HeadObject') &&
      leftover.exchanges.some((exchange) => PUBLISHING.has(exchange.operation) && isDoneInSecret(exchange)),
  },
  {
    name: 'lost-upload-may-not-list',
    holds: (leftover) =>
      leftover.kind === 'upload' &&
      leftover.isNamed &&
      mayNot(leftover, 'ListMultipartUploads') &&
      (leftover.agentKilled ||
        leftover.exchanges.some(
          (exchange) => exchange.operation === 'CreateMultipartUpload' && isDoneInSecret(exchange),
        )),
  },
  {
    name: 'may-not-remove',
    holds: (leftover) => isNamedObject(leftover) && mayNot(leftover, 'DeleteObject'),
  },
  {
    name: 'may-not-abort',
    holds: (leftover) =>
      leftover.kind === 'upload' && leftover.isNamed && isRefused(leftover, 'AbortMultipartUpload'),
  },
  {
    name: 'etag-falsified',
    holds: (leftover) =>
      isNamedObject(leftover) && leftover.exchanges.some(({ fault }) => fault === 'wrong-etag'),
  },
];

/** A whole file of the export, which an error message or the log has named. */
function isNamedObject({ kind, isWhole, isNamed }: Leftover): boolean {
  return kind === 'object' && isWhole && isNamed;
}

/** The guide's sample policy has neither s3:GetObject nor s3:DeleteObject nor s3:ListBucketMultipartUploads. */
function mayNot(leftover: Leftover, operation: S3Operation): boolean {
  return leftover.role.startsWith('guide_') || isRefused(leftover, operation);
}

/** Whether the plan made S3 refuse the operation, and not with an error that goes away. */
function isRefused({ exchanges }: Leftover, operation: S3Operation): boolean {
  // The answer to a HeadObject has no body, so any client error but 429 counts as a lasting refusal.
  const refused = operation === 'HeadObject' ? /^answer(-early)? (301|4(?!29))/ : REFUSED;
  return exchanges.some((exchange) => exchange.operation === operation && refused.test(exchange.fault ?? ''));
}
