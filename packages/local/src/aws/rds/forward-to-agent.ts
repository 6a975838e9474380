import { ForwardedAnswer } from '../query/query-operation.ts';
import { QueryError } from '../query/query-error.ts';
import { sendQuery } from '../query/send-query.ts';

/** The address of the agent's own RDS API, and an access key that it accepts. */
export interface RdsAgent {
  readonly socketPath: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Forwards a request with a new signature, and gives back the agent's answer. */
export async function forwardToAgent(
  { socketPath, region, ...credentials }: RdsAgent,
  parameters: Iterable<readonly [name: string, value: string]>,
): Promise<ForwardedAnswer> {
  try {
    const { status, xml } = await sendQuery({
      to: { socketPath },
      service: 'rds',
      region,
      credentials,
      parameters: Object.fromEntries(parameters),
    });
    return new ForwardedAnswer(status, xml);
  } catch (error) {
    throw new QueryError('ServiceUnavailable', 503, 'The agent of the cluster does not answer.', {
      cause: error,
    });
  }
}
