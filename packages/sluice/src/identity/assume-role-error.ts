import { SluiceError } from '../errors.ts';
import { describeFailure, type NetworkFailure, type S3Failure } from '../s3/s3-failure.ts';
import { NoBaseCredentialsError } from './base-credentials.ts';
import { isWrongTime } from './sts.ts';

/** Aurora's message for every reason for which it has no credentials of the role. */
const MESSAGE = "credentials stored with the database cluster can't be accessed";

/** The AssumeRole request that failed, for the error message. */
export interface AssumeRoleTarget {
  roleArn: string;
  /** The endpoint of STS. */
  endpoint: string;
  externalId?: string | undefined;
  /** The ARN of the agent's own principal, if it is known. */
  callerArn?: string | undefined;
}

/** The kind of failure, for code that handles kinds differently. */
export type AssumeRoleFailure =
  | 'no-base-credentials'
  | 'clock-skew'
  | 'denied'
  | 'unknown-base-credentials'
  | 'expired-base-credentials'
  | 'duration'
  | 'region-disabled'
  | 'unavailable'
  | 'unreachable'
  | 'other';

/** The role that is associated with the cluster could not be assumed. */
export class AssumeRoleError extends SluiceError {
  readonly failure: AssumeRoleFailure;
  readonly roleArn: string;
  /** The error code of STS, e.g. `AccessDenied`; undefined when no answer came. */
  readonly stsCode: string | undefined;

  constructor(cause: unknown, target: AssumeRoleTarget) {
    const answer = describeFailure(cause);
    const { failure, say } = REMEDIES.find(({ when }) => when(answer, cause)) ?? OTHER;
    super('credentials_unavailable', MESSAGE, {
      cause,
      detail: describeDetail(cause, target),
      hint: say(target, answer),
      retryable: failure === 'unavailable' || failure === 'unreachable',
    });
    this.failure = failure;
    this.roleArn = target.roleArn;
    this.stsCode = answer?.s3Code;
  }
}

/** No role is associated with the cluster for the feature that exports. */
export function noRoleError(): SluiceError {
  return new SluiceError('credentials_unavailable', MESSAGE, {
    hint: 'Has the IAM role Amazon Resource Name (ARN) been associated with the feature-name "s3Export"?',
  });
}

function describeDetail(cause: unknown, { roleArn, endpoint }: AssumeRoleTarget): string {
  const reason = describeStsFailure(cause, endpoint);
  return cause instanceof NoBaseCredentialsError
    ? `${reason}.`
    : `The role ${roleArn} could not be assumed: ${reason}.`;
}

/** Why a request to STS failed, with STS's own message; without a full stop. */
export function describeStsFailure(cause: unknown, endpoint: string): string {
  if (cause instanceof NoBaseCredentialsError)
    return `The agent has no AWS credentials of its own: ${cause.detail}`;
  const answer = describeFailure(cause);
  if (answer?.network !== undefined || answer === undefined) {
    return `no answer from ${endpoint} (${cause instanceof Error ? cause.message : String(cause)})`;
  }
  const code = answer.s3Code === undefined ? '' : ` (${answer.s3Code})`;
  return `AWS STS returned '${answer.message}'${code}`;
}

interface Remedy {
  failure: AssumeRoleFailure;
  when: (answer: S3Failure | undefined, cause: unknown) => boolean;
  /** One or two sentences that name the role and what to change. */
  say: (target: AssumeRoleTarget, answer: S3Failure | undefined) => string;
}

const SOURCES =
  'the way the AWS SDKs take them (environment, profile, web identity, instance role), or as access_key_id and secret_access_key under [aws] in sluice.toml';

const OTHER: Remedy = {
  failure: 'other',
  when: () => true,
  say: ({ roleArn }) => `Check that the role ${roleArn} exists and that the agent may assume it.`,
};

/**
 * The first entry that matches is used.
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html, and Errors of API_AssumeRole
 */
const REMEDIES: readonly Remedy[] = [
  {
    failure: 'no-base-credentials',
    when: (_answer, cause) => cause instanceof NoBaseCredentialsError,
    say: ({ roleArn }) =>
      `The agent needs credentials of its own to assume ${roleArn}: give it some ${SOURCES}.`,
  },
  {
    failure: 'unreachable',
    when: (answer) => answer?.network !== undefined,
    say: (target, answer) => NETWORK_REMEDIES[answer?.network ?? 'other'](target),
  },
  {
    failure: 'clock-skew',
    when: (_answer, cause) => isWrongTime(cause),
    say: ({ roleArn }) =>
      `This host's clock is too far from that of AWS STS, so ${roleArn} can't be assumed: set it, and keep it set (NTP).`,
  },
  {
    failure: 'expired-base-credentials',
    when: (answer) => /^ExpiredToken(?:Exception)?$/.test(answer?.s3Code ?? ''),
    say: ({ roleArn }) =>
      `The agent's own credentials, which assume ${roleArn}, have expired: renew their source, such as session_token under [aws] in sluice.toml.`,
  },
  {
    failure: 'denied',
    when: (answer) => /^AccessDenied(?:Exception)?$/.test(answer?.s3Code ?? ''),
    say: describeTrust,
  },
  {
    failure: 'unknown-base-credentials',
    when: (answer) =>
      /^(?:InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature|AuthFailure|InvalidToken)$/.test(
        answer?.s3Code ?? '',
      ) || answer?.httpStatus === 401,
    say: ({ roleArn, endpoint }) =>
      `The agent's own credentials, which assume ${roleArn}, are not known at ${endpoint}: give it valid ones ${SOURCES}.`,
  },
  {
    failure: 'duration',
    when: (answer) => /DurationSeconds|session limit|MaxSessionDuration/i.test(answer?.message ?? ''),
    say: ({ roleArn }) =>
      `Lower role_session_duration under [aws] in sluice.toml (an agent that is itself a role can ask for one hour at most), or raise the maximum session duration of ${roleArn}.`,
  },
  {
    failure: 'region-disabled',
    when: (answer) => answer?.s3Code === 'RegionDisabledException',
    say: ({ roleArn, endpoint }) =>
      `The account of the agent has not activated ${endpoint}: activate it to assume ${roleArn}, or set sts_endpoint under [aws] in sluice.toml.`,
  },
  {
    failure: 'unavailable',
    when: (answer) =>
      /^(?:Throttling|ThrottlingException|RequestLimitExceeded|TooManyRequestsException|ServiceUnavailable|InternalFailure)$/.test(
        answer?.s3Code ?? '',
      ) ||
      answer?.httpStatus === 429 ||
      (answer?.httpStatus ?? 0) >= 500,
    say: ({ roleArn, endpoint }) =>
      `${endpoint} stayed unable to serve the request to assume ${roleArn} after several attempts: try again later.`,
  },
];

/** STS answers AccessDenied for a role that does not exist, too. */
function describeTrust({ roleArn, callerArn, externalId }: AssumeRoleTarget): string {
  const principal = callerArn === undefined ? "the agent's own principal" : trustedPrincipal(callerArn);
  const condition = externalId === undefined ? '' : ` with the external ID ${JSON.stringify(externalId)}`;
  return (
    `Does the role ${roleArn} exist? Its trust policy must allow sts:AssumeRole to ${principal}${condition} ` +
    `(on AWS, rds.amazonaws.com is Aurora itself, and not this agent), and the policies of ${principal} must allow ` +
    `sts:AssumeRole on ${roleArn}.`
  );
}

/**
 * The ARN to name in a trust policy: for an assumed-role session it is the ARN of its role.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
function trustedPrincipal(callerArn: string): string {
  const [, partition, account, role] =
    /^arn:([\w-]+):sts::(\d*):assumed-role\/([^/]+)\//.exec(callerArn) ?? [];
  return role === undefined ? callerArn : `arn:${partition}:iam::${account}:role/${role}`;
}

const NETWORK_REMEDIES: Record<NetworkFailure, (target: AssumeRoleTarget) => string> = {
  'name-not-found': ({ endpoint, roleArn }) =>
    `The host name of ${endpoint}, which is asked to assume ${roleArn}, does not resolve: check DNS, cluster.region and aws.sts_endpoint in sluice.toml.`,
  refused: ({ endpoint, roleArn }) =>
    `Nothing accepts connections at ${endpoint}, which is asked to assume ${roleArn}: check the way to it, and aws.sts_endpoint in sluice.toml.`,
  'connect-timeout': ({ endpoint, roleArn }) =>
    `${endpoint}, which is asked to assume ${roleArn}, did not accept a connection in time: check routes, firewalls and security groups.`,
  stalled: ({ endpoint, roleArn }) =>
    `${endpoint}, or the source of the agent's own credentials, gave no answer in time to assume ${roleArn}: check the network to it.`,
  reset: ({ endpoint, roleArn }) =>
    `The connection to ${endpoint}, which is asked to assume ${roleArn}, kept breaking: check the network to it, and proxies.`,
  tls: ({ endpoint, roleArn }) =>
    `No trusted TLS connection to ${endpoint}, which is asked to assume ${roleArn}, could be made: check its certificate, and aws.ca_file in sluice.toml.`,
  other: ({ endpoint, roleArn }) => `The request to ${endpoint} to assume ${roleArn} could not be sent.`,
};
