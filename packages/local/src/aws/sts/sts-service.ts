import type { AwsService } from '../aws-service.ts';
import type { Identity } from '../identity.ts';
import { QueryService } from '../query/query-service.ts';
import { assumeRole } from './operations/assume-role.ts';
import { getCallerIdentity } from './operations/get-caller-identity.ts';
import { getSessionToken } from './operations/get-session-token.ts';
import type { StsContext } from './sts-operation.ts';

/** https://docs.aws.amazon.com/STS/latest/APIReference/ */
export function stsService(context: StsContext, identity: Identity): AwsService {
  return new QueryService({
    name: 'sts',
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    operations: [assumeRole, getCallerIdentity, getSessionToken],
    context,
    identity,
  });
}
