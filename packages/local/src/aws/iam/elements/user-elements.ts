import type { XmlElement } from 'sluice/aws-protocol';
import { iamArn } from '../names.ts';
import type { IamView } from '../state/iam-store.ts';
import { boundaryElements, tagElements } from './common-elements.ts';

type UserView = IamView['users'][number];

/** A user in lists. https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html */
export function listedUserElements(user: UserView, accountId: string): XmlElement[] {
  return [
    ['Path', user.path],
    ['UserName', user.name],
    ['UserId', user.id],
    ['Arn', iamArn(accountId, 'user', user)],
    ['CreateDate', user.createDate],
  ];
}

/** A user with all that is known of it. */
export function userElements(user: UserView, accountId: string): XmlElement[] {
  return [...listedUserElements(user, accountId), ...boundaryElements(user), ...tagElements(user.tags)];
}
