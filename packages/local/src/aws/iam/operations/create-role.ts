import { roleElements } from '../elements/role-elements.ts';
import { findAttachablePolicy } from '../find-policy.ts';
import { IamError } from '../iam-error.ts';
import type { IamOperation } from '../iam-operation.ts';
import { newUniqueId } from '../ids.ts';
import { iamArn, iamDate } from '../names.ts';
import {
  readBoundary,
  readDescription,
  readDocument,
  readMaxSession,
  readName,
  readPath,
  readTags,
} from '../parameters.ts';
import type { Role } from '../state/iam-state.ts';
import { readTrustPolicy } from '../trust-policy.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html */
export const createRole: IamOperation = {
  name: 'CreateRole',
  resource: ({ form, accountId }) =>
    iamArn(accountId, 'role', { path: readPath(form), name: readName(form, 'RoleName') }),
  conditions: ({ form }) => boundaryCondition(readBoundary(form)),
  async run({ form, accountId, store }) {
    const [name, path] = [readName(form, 'RoleName'), readPath(form)];
    const document = readDocument(form, 'AssumeRolePolicyDocument');
    const description = readDescription(form);
    const permissionsBoundary = readBoundary(form);
    const facts = {
      name,
      path,
      id: newUniqueId('AROA'),
      createDate: iamDate(),
      tags: readTags(form),
      attachedPolicies: [],
      inlinePolicies: [],
      ...(permissionsBoundary !== undefined && { permissionsBoundary }),
      ...(description !== undefined && { description }),
      maxSessionSeconds: readMaxSession(form) ?? 3600,
    };
    const role = await store.update((state): Role => {
      if (permissionsBoundary !== undefined) findAttachablePolicy(state, permissionsBoundary);
      const trustPolicy = readTrustPolicy(document, state, accountId);
      if (state.roles.some((existing) => existing.name.toLowerCase() === name.toLowerCase())) {
        throw new IamError('EntityAlreadyExists', `Role with name ${name} already exists.`);
      }
      const created = { ...facts, trustPolicy };
      state.roles.push(created);
      return created;
    });
    return [['Role', roleElements(role, store.state, accountId)]];
  },
};

function boundaryCondition(arn: string | undefined): [key: string, value: string][] {
  return arn === undefined ? [] : [['iam:PermissionsBoundary', arn]];
}
