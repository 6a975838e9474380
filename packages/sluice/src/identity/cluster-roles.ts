import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { noRoleError } from './assume-role-error.ts';
import { AssociationStore } from './association-store.ts';
import { parseAssociationKey, type RoleAssociation } from './role-association.ts';
import { RoleChecks } from './role-checks.ts';
import { RoleCredentials, type RoleSession } from './role-credentials.ts';
import { ownSessionName, sessionName } from './session-name.ts';
import type { SessionCredentials, Sts } from './sts.ts';
import { steadyNow } from '../steady-clock.ts';

const STATUS_POLL_MS = 50;

export interface ClusterRolesOptions {
  cluster: string;
  stateDirectory: string;
  sts: Sts;
  log: Logger;
  sessionDurationMs: number;
  externalId?: string | undefined;
  /** How often the agent checks whether the roles can be assumed. */
  checkIntervalMs: number;
  /** How long the status of a new association stays PENDING while AssumeRole is refused. @default 15 seconds */
  settleMs?: number | undefined;
}

/** An association, with the reason why its role could not be assumed the last time, if it could not. */
export interface RoleReport extends RoleAssociation {
  readonly reason?: string | undefined;
}

/** The IAM roles that are associated with the cluster, and their credentials. */
export class ClusterRoles {
  readonly #options: ClusterRolesOptions;
  readonly #store: AssociationStore;
  readonly #credentials: RoleCredentials;
  readonly #checks: RoleChecks;

  private constructor(options: ClusterRolesOptions, store: AssociationStore) {
    const { sts, sessionDurationMs, externalId, cluster, log } = options;
    this.#options = options;
    this.#store = store;
    this.#credentials = new RoleCredentials({
      sts,
      durationMs: sessionDurationMs,
      externalId,
      onAssumed: (roleArn, error) => this.#checks.record(roleArn, error),
    });
    const checkSession = ownSessionName(cluster, 'role-check');
    this.#checks = new RoleChecks({
      store,
      log,
      intervalMs: options.checkIntervalMs,
      settleMs: options.settleMs,
      assume: (roleArn) =>
        this.#credentials.get({ roleArn, sessionName: checkSession }, { forceRefresh: true }),
    });
  }

  /** @throws SluiceError `config_invalid`: the file of the associations can't be read */
  static async open(
    options: ClusterRolesOptions,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<ClusterRoles> {
    return new ClusterRoles(options, await AssociationStore.open(options.stateDirectory, { signal }));
  }

  list(): readonly RoleReport[] {
    return this.#store.list().map((role) => {
      const error = role.status === 'ACTIVE' ? undefined : this.#checks.lastError(role.roleArn);
      return error === undefined
        ? role
        : { ...role, reason: [error.detail, error.hint].filter(Boolean).join(' ') };
    });
  }

  /**
   * Associates a role. Whether it can be assumed is checked in the background.
   *
   * @throws SluiceError `invalid_argument`, `role_already_associated`, `role_quota_exceeded`
   */
  async add(roleArn: string, featureName: string): Promise<RoleAssociation> {
    const added = await this.#store.add(parseAssociationKey(roleArn, featureName));
    this.#options.log.info({ roleArn, feature: featureName }, 'role associated');
    this.#credentials.forgetRole(roleArn);
    this.#checks.added(roleArn);
    return added;
  }

  /** @throws SluiceError `invalid_argument`, `role_not_associated` */
  async remove(roleArn: string, featureName: string): Promise<void> {
    await this.#store.remove(parseAssociationKey(roleArn, featureName));
    this.#options.log.info({ roleArn, feature: featureName }, 'role no longer associated');
    this.#credentials.forgetRole(roleArn);
  }

  /** Waits until it is known whether the role can be assumed, for `timeoutMs` at most. */
  async known(
    roleArn: string,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<void> {
    const deadline = steadyNow() + timeoutMs;
    const isPending = (): boolean =>
      this.#store.list().some((role) => role.roleArn === roleArn && role.status === 'PENDING');
    while (isPending() && steadyNow() < deadline) {
      await delay(STATUS_POLL_MS, undefined, signal === undefined ? {} : { signal });
    }
  }

  /**
   * The role session in which an export of a database role uploads.
   *
   * @throws SluiceError `credentials_unavailable`: no role is associated for s3Export
   */
  exportSession(databaseRole: string): RoleSession {
    return { roleArn: this.#exportRole(), sessionName: sessionName(this.#options.cluster, databaseRole) };
  }

  /**
   * The role session for cleaning up what an older agent left without noting the database role. Errors as
   * exportSession.
   */
  cleanUpSession(): RoleSession {
    return { roleArn: this.#exportRole(), sessionName: ownSessionName(this.#options.cluster, 'clean-up') };
  }

  /** @throws AssumeRoleError, or the signal's reason */
  credentials(
    session: RoleSession,
    options: { forceRefresh?: boolean | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<SessionCredentials> {
    return this.#credentials.get(session, options);
  }

  /** Forgets the credentials of a session, after S3 has refused them: the next export gets new ones. */
  forget(session: RoleSession): void {
    this.#credentials.forget(session);
  }

  async close(): Promise<void> {
    this.#checks.close();
    this.#credentials.close();
    await this.#options.sts.close();
  }

  #exportRole(): string {
    const role = this.#store.find('s3Export');
    if (role === undefined) throw noRoleError();
    return role.roleArn;
  }
}
