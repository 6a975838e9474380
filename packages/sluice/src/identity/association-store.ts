import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errnoOf, SluiceError } from '../errors.ts';
import { writeAtomically } from '../files/write-atomically.ts';
import {
  associationSchema,
  isSameAssociation,
  MAX_ASSOCIATIONS,
  type AssociationKey,
  type AssociationStatus,
  type FeatureName,
  type RoleAssociation,
} from './role-association.ts';

const FILE_NAME = 'role-associations.json';

const fileSchema = z
  .strictObject({ version: z.literal(1), roles: z.array(associationSchema).max(MAX_ASSOCIATIONS) })
  .refine(({ roles }) => new Set(roles.map((role) => role.featureName)).size === roles.length, {
    message: 'expected at most one role for each feature',
    path: ['roles'],
  });

/**
 * The role associations of a cluster, in a file of the agent's state directory. A change has succeeded when it is on
 * disk; changes are made one after another.
 */
export class AssociationStore {
  readonly #path: string;
  #roles: readonly RoleAssociation[];
  #lastChange: Promise<unknown> = Promise.resolve();

  private constructor(path: string, roles: readonly RoleAssociation[]) {
    this.#path = path;
    this.#roles = roles;
  }

  /** @throws SluiceError `config_invalid`: the file can't be read, or its content is not valid */
  static async open(
    stateDirectory: string,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<AssociationStore> {
    await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
    const path = join(stateDirectory, FILE_NAME);
    return new AssociationStore(path, await readRoles(path, options));
  }

  list(): readonly RoleAssociation[] {
    return this.#roles;
  }

  find(featureName: FeatureName): RoleAssociation | undefined {
    return this.#roles.find((role) => role.featureName === featureName);
  }

  /** @throws SluiceError `role_already_associated`, `role_quota_exceeded` */
  add(key: AssociationKey): Promise<RoleAssociation> {
    return this.#change((roles) => {
      const present = roles.find((role) => role.featureName === key.featureName);
      if (present !== undefined) throw alreadyAssociated(present, key);
      if (roles.length >= MAX_ASSOCIATIONS) {
        throw new SluiceError('role_quota_exceeded', `the cluster has ${MAX_ASSOCIATIONS} roles already`, {
          hint: 'Remove one first.',
        });
      }
      const added: RoleAssociation = { ...key, status: 'PENDING' };
      return { roles: [...roles, added], result: added };
    });
  }

  /** @throws SluiceError `role_not_associated` */
  remove(key: AssociationKey): Promise<void> {
    return this.#change((roles) => {
      const others = roles.filter((role) => !isSameAssociation(role, key));
      if (others.length === roles.length) {
        throw new SluiceError(
          'role_not_associated',
          `the role ${key.roleArn} is not associated with the cluster for the feature ${key.featureName}`,
          { hint: 'See which roles are: sluice role list.' },
        );
      }
      return { roles: others, result: undefined };
    });
  }

  /** Does nothing for an association that was removed in the meantime. */
  setStatus(key: AssociationKey, status: AssociationStatus): Promise<void> {
    return this.#change((roles) => ({
      roles: roles.some((role) => isSameAssociation(role, key) && role.status !== status)
        ? roles.map((role) => (isSameAssociation(role, key) ? { ...role, status } : role))
        : roles,
      result: undefined,
    }));
  }

  #change<T>(
    change: (roles: readonly RoleAssociation[]) => { roles: readonly RoleAssociation[]; result: T },
  ): Promise<T> {
    const changed = this.#lastChange.then(async () => {
      const { roles, result } = change(this.#roles);
      if (roles !== this.#roles) {
        await writeAtomically(this.#path, `${JSON.stringify({ version: 1, roles }, undefined, 2)}\n`);
        this.#roles = roles;
      }
      return result;
    });
    // After a failed change the next ones must still be made.
    this.#lastChange = changed.catch(() => undefined);
    return changed;
  }
}

/** Reads the associations from disk, and writes nothing. Errors as `AssociationStore.open`. */
export function readAssociations(
  stateDirectory: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<readonly RoleAssociation[]> {
  return readRoles(join(stateDirectory, FILE_NAME), options);
}

async function readRoles(
  path: string,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<readonly RoleAssociation[]> {
  try {
    const text = await readFile(path, { encoding: 'utf8', ...(signal === undefined ? {} : { signal }) });
    return fileSchema.parse(JSON.parse(text)).roles;
  } catch (error) {
    signal?.throwIfAborted();
    if (errnoOf(error) === 'ENOENT') return [];
    throw new SluiceError('config_invalid', `could not read the role associations in "${path}"`, {
      cause: error,
      detail:
        error instanceof z.ZodError
          ? z.prettifyError(error)
          : error instanceof Error
            ? error.message
            : String(error),
      hint: 'The agent writes this file. Mend it, or move it away and associate the roles again (sluice role add).',
    });
  }
}

function alreadyAssociated(present: RoleAssociation, wanted: AssociationKey): SluiceError {
  const { roleArn, featureName } = present;
  return new SluiceError(
    'role_already_associated',
    `the role ${roleArn} is already associated with the cluster for the feature ${featureName}`,
    roleArn === wanted.roleArn
      ? {}
      : { hint: `A cluster has one role for a feature: remove that one first.` },
  );
}
