import { createHash } from 'node:crypto';
import type { XmlElement } from '../aws-protocol/xml/write-document.ts';
import type { RoleAssociation } from '../identity/role-association.ts';
import type { Filter } from './parameters.ts';
import { RdsError } from './rds-error.ts';

/** The engine name in the API's answers: scripts and Terraform configurations for Aurora PostgreSQL expect it. */
const ENGINE = 'aurora-postgresql';

/** The one cluster, with its one instance, that an agent's API serves. */
export interface ClusterSettings {
  identifier: string;
  instanceIdentifier: string;
  region: string;
  accountId: string;
  /** The host at which clients reach PostgreSQL. */
  endpoint: string;
  port: number;
  engineVersion?: string | undefined;
}

type Roles = readonly RoleAssociation[];

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBCluster.html */
export function describeCluster(settings: ClusterSettings, roles: Roles): XmlElement {
  const { identifier, instanceIdentifier, endpoint, port, region, engineVersion } = settings;
  return [
    'DBCluster',
    [
      ['DBClusterIdentifier', identifier],
      ['DBClusterArn', arnOf(settings, 'cluster', identifier)],
      ['DbClusterResourceId', resourceId('cluster', identifier)],
      ['Status', 'available'],
      ['Engine', ENGINE],
      ['EngineVersion', engineVersion],
      ['EngineMode', 'provisioned'],
      ['Endpoint', endpoint],
      ['Port', port],
      ['MultiAZ', false],
      ['AvailabilityZones', [['AvailabilityZone', `${region}a`]]],
      [
        'DBClusterMembers',
        [
          [
            'DBClusterMember',
            [
              ['DBInstanceIdentifier', instanceIdentifier],
              ['IsClusterWriter', true],
              ['DBClusterParameterGroupStatus', 'in-sync'],
              ['PromotionTier', 1],
            ],
          ],
        ],
      ],
      ['AssociatedRoles', roles.map((role) => describeRole('DBClusterRole', role))],
    ],
  ];
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html */
export function describeInstance(settings: ClusterSettings, roles: Roles): XmlElement {
  const { identifier, instanceIdentifier, endpoint, port, region, engineVersion } = settings;
  return [
    'DBInstance',
    [
      ['DBInstanceIdentifier', instanceIdentifier],
      ['DBInstanceArn', arnOf(settings, 'db', instanceIdentifier)],
      ['DbiResourceId', resourceId('db', instanceIdentifier)],
      ['DBClusterIdentifier', identifier],
      ['DBInstanceStatus', 'available'],
      ['Engine', ENGINE],
      ['EngineVersion', engineVersion],
      [
        'Endpoint',
        [
          ['Address', endpoint],
          ['Port', port],
        ],
      ],
      ['MultiAZ', false],
      ['AvailabilityZone', `${region}a`],
      ['AssociatedRoles', roles.map((role) => describeRole('DBInstanceRole', role))],
    ],
  ];
}

/** @throws RdsError `DBClusterNotFoundFault` */
export function requireCluster(settings: ClusterSettings, given: string): void {
  if (isCluster(settings, given)) return;
  throw new RdsError('DBClusterNotFoundFault', `DBCluster ${given} not found.`);
}

/** @throws RdsError `DBInstanceNotFound` */
export function requireInstance(settings: ClusterSettings, given: string): void {
  if (isInstance(settings, given)) return;
  throw new RdsError('DBInstanceNotFound', `DBInstance ${given} not found.`);
}

/** The supported filters of DescribeDBClusters and DescribeDBInstances. */
export const CLUSTER_FILTERS = ['db-cluster-id', 'db-cluster-resource-id', 'engine'] as const;
export const INSTANCE_FILTERS = ['db-cluster-id', 'db-instance-id', 'dbi-resource-id', 'engine'] as const;

export function passes(settings: ClusterSettings, filters: readonly Filter[]): boolean {
  const tests = new Map<string, (value: string) => boolean>(
    Object.entries({
      'db-cluster-id': (value: string) => isCluster(settings, value),
      'db-cluster-resource-id': (value: string) => value === resourceId('cluster', settings.identifier),
      'db-instance-id': (value: string) => isInstance(settings, value),
      'dbi-resource-id': (value: string) => value === resourceId('db', settings.instanceIdentifier),
      engine: (value: string) => value === ENGINE,
    }),
  );
  return filters.every(({ name, values }) => values.some((value) => tests.get(name)?.(value) === true));
}

/** Identifiers are case-insensitive, and an ARN may be given instead of one. */
function isCluster(settings: ClusterSettings, given: string): boolean {
  const { identifier } = settings;
  return isSameName(given, identifier) || isSameName(given, arnOf(settings, 'cluster', identifier));
}

function isInstance(settings: ClusterSettings, given: string): boolean {
  const { instanceIdentifier } = settings;
  return (
    isSameName(given, instanceIdentifier) || isSameName(given, arnOf(settings, 'db', instanceIdentifier))
  );
}

function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function describeRole(element: string, { roleArn, featureName, status }: RoleAssociation): XmlElement {
  return [
    element,
    [
      ['RoleArn', roleArn],
      ['FeatureName', featureName],
      ['Status', status],
    ],
  ];
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Tagging.ARN.html */
function arnOf({ region, accountId }: ClusterSettings, type: 'cluster' | 'db', name: string): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:rds:${region}:${accountId}:${type}:${name}`;
}

/** An id in AWS's form. Derived from the name, so that it is the same after each start. */
function resourceId(type: 'cluster' | 'db', name: string): string {
  return `${type}-${createHash('sha256').update(name.toLowerCase()).digest('hex').slice(0, 26).toUpperCase()}`;
}
