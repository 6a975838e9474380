import type { AwsService } from '../aws-service.ts';
import type { Identity } from '../identity.ts';
import { QueryService } from '../query/query-service.ts';
import { operations } from './operations/index.ts';
import type { IamStore } from './state/iam-store.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/ */
export function iamService(store: IamStore, identity: Identity): AwsService {
  return new QueryService({
    name: 'iam',
    version: '2010-05-08',
    namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    operations,
    context: { store },
    identity,
  });
}
