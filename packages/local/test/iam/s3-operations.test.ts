import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operations } from '../../src/aws/s3/operations/index.ts';
import { errorCode, sendSigned, type RawRequest } from '../s3/raw-request.ts';
import {
  ADMINISTRATOR,
  allow,
  policy,
  startIamServer,
  TRUST_RDS,
  type Credentials,
  type IamServer,
} from './iam-server.ts';
import { BUCKET, operationCases, type OperationCase, type Send } from './s3-operations.ts';

let server: IamServer;
let session: Credentials;

beforeAll(async () => {
  server = await startIamServer();
  await server.iam().send(new CreateRoleCommand({ RoleName: 'tried', AssumeRolePolicyDocument: TRUST_RDS }));
  session = await server.assume('tried');
  await asAdministrator({ method: 'PUT', path: `/${BUCKET}` });
});

afterAll(() => server.stop());

function sender(credentials: Credentials): Send {
  return (request) =>
    sendSigned({ method: 'GET', path: '/', ...request, port: server.port, credentials } satisfies RawRequest);
}

const asAdministrator: Send = (request) => sender(ADMINISTRATOR)(request);

async function allowOnly(needs: OperationCase['needs']): Promise<void> {
  // A policy must have at least one statement.
  const statements = [allow('s3:None', '*'), ...needs.map(([action, resource]) => allow(action, resource))];
  await server.iam().send(
    new PutRolePolicyCommand({
      RoleName: 'tried',
      PolicyName: 'p',
      PolicyDocument: policy(...statements),
    }),
  );
}

async function send({ prepare, request }: OperationCase) {
  const prepared = await prepare?.(asAdministrator);
  return sender(session)({ ...request, ...prepared });
}

it('has a case for every operation', () => {
  const tried = new Set(operationCases.map(({ operation }) => operation));
  expect(operations.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
});

describe.each(operationCases.map((one) => ({ name: [one.operation, one.when ?? ''].join(' '), one })))(
  '$name',
  ({ one }) => {
    it('is allowed by what it needs', async () => {
      await allowOnly(one.needs);
      const response = await send(one);
      expect(response.body).not.toContain('AccessDenied');
      expect(response.status).toBe(one.status ?? 200);
    });

    it.each(one.needs)('is denied without %s', async (action, resource) => {
      await allowOnly(one.needs.filter((need) => need[0] !== action));
      const response = await send(one);
      const onResource = resource === '*' ? '' : ` on resource: &quot;${resource}&quot;`;
      const message = `User: arn:aws:sts::000000000000:assumed-role/tried/session is not authorized to perform: ${action}${onResource} because no identity-based policy allows the ${action} action`;
      const isHead = one.request.method === 'HEAD';
      // DeleteObjects reports the denial of each key in its answer.
      expect(response.status).toBe(one.operation === 'DeleteObjects' ? 200 : 403);
      expect(errorCode(response)).toBe(isHead ? undefined : 'AccessDenied');
      expect(response.body).toContain(isHead ? '' : message);
    });
  },
);
