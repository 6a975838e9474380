import type { XmlElement } from '../aws-protocol/xml/write-document.ts';
import type { ClusterRoles } from '../identity/cluster-roles.ts';
import type { ClusterSettings } from './cluster.ts';
import type { Parameters } from './parameters.ts';

export interface OperationContext {
  cluster: ClusterSettings;
  roles: Pick<ClusterRoles, 'list' | 'add' | 'remove'>;
}

/**
 * One operation of the API.
 *
 * @returns the content of the answer's Result element; undefined when it has none
 * @throws RdsError
 */
export type Operation = (
  parameters: Parameters,
  context: OperationContext,
) => readonly XmlElement[] | undefined | Promise<readonly XmlElement[] | undefined>;
