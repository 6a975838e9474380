import type { Authorize, CredentialLookup, Identity } from '../identity.ts';
import { ensureAdministrator, type AccessKeyPair } from './administrator.ts';
import { authorizeWithIam } from './authorize-with-iam.ts';
import { lookUpCredentials } from './look-up-credentials.ts';
import { IamStore } from './state/iam-store.ts';

export interface IamOptions {
  /** @default '000000000000' */
  readonly accountId?: string;
  /** The key of the account's administrator: the IAM user `local-admin`, who may do everything. */
  readonly administrator?: AccessKeyPair;
  /**
   * The keys of AWS services, by the service's name. A service may assume the roles that trust it, and nothing else.
   * @example { 'rds.amazonaws.com': { accessKeyId: 'AKIA...', secretAccessKey: '...' } }
   */
  readonly services?: Readonly<Record<string, ServiceKey>>;
  /** Keys that IAM does not know. @default none */
  readonly credentials?: CredentialLookup;
  /** Called before every action. @default IAM's policies decide */
  readonly authorize?: Authorize;
}

/** The key of an AWS service that acts for the account. */
export interface ServiceKey extends AccessKeyPair {
  /** The ARN of the resource for which the service acts, e.g. a DB cluster: the condition key `aws:SourceArn`. */
  readonly sourceArn?: string;
}

export interface OpenIam {
  readonly store: IamStore;
  /** Looks up keys and decides about permissions, for all services of the endpoint. */
  readonly identity: Identity;
}

/** Opens the account's IAM. @throws LocalError directory_unusable */
export async function openIam(directory: string, options: IamOptions): Promise<OpenIam> {
  const { accountId = '000000000000', administrator, services = {}, credentials } = options;
  const store = await IamStore.open(directory);
  if (administrator !== undefined) await store.update((state) => ensureAdministrator(state, administrator));
  const ofServices = serviceCredentials(services, accountId);
  const ofUsers = lookUpCredentials(store, accountId);
  return {
    store,
    identity: {
      accountId,
      credentials: async (accessKeyId, sessionToken) =>
        ofServices(accessKeyId) ??
        (await credentials?.(accessKeyId, sessionToken)) ??
        ofUsers(accessKeyId, sessionToken),
      authorize: options.authorize ?? authorizeWithIam(store),
    },
  };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html: a service names the resource it acts for. */
function serviceCredentials(services: NonNullable<IamOptions['services']>, accountId: string) {
  const byKey = new Map(
    Object.entries(services).map(([name, { accessKeyId, secretAccessKey, sourceArn }]) => {
      const conditions = new Map([['aws:SourceAccount', accountId]]);
      if (sourceArn !== undefined) conditions.set('aws:SourceArn', sourceArn);
      return [
        accessKeyId,
        { secretAccessKey, principal: { type: 'service', name } as const, conditions },
      ] as const;
    }),
  );
  return (accessKeyId: string) => byKey.get(accessKeyId);
}
