import { ForwardedAnswer } from '../query/query-operation.ts';
import { QueryError } from '../query/query-error.ts';
import { sendQuery } from '../query/send-query.ts';

/** Where the agent's own RDS API is, and the access key that it knows. */
export interface RdsAgent {
  readonly socketPath: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Sends the parameters on, signed anew, and gives back what the agent answers. */
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
