import type { XmlElement } from '../../aws-protocol/xml/write-document.ts';
import type { Operation } from '../operation.ts';

/** The major versions of PostgreSQL that the extension supports. */
const MAJORS = ['14', '15', '16', '17', '18'];
const ENGINES = [
  { engine: 'aurora-postgresql', description: 'Aurora PostgreSQL' },
  { engine: 'postgres', description: 'PostgreSQL' },
];

/** The features for which Sluice uses a role; roles for other features can be associated without effect. */
const SUPPORTED_FEATURES = ['s3Export'];

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBEngineVersions.html */
export const describeDBEngineVersions: Operation = (parameters) => {
  parameters.checkPaging();
  const filters = parameters.filters(['engine', 'engine-version']);
  const wantedEngine = parameters.get('Engine');
  const wantedVersion = parameters.get('EngineVersion');
  const versions =
    wantedVersion === undefined ? MAJORS : MAJORS.includes(majorOf(wantedVersion)) ? [wantedVersion] : [];
  const found = ENGINES.flatMap(({ engine, description }) =>
    versions.flatMap((version) => {
      const passesFilters = filters.every(({ name, values }) =>
        values.includes(name === 'engine' ? engine : version),
      );
      const isWanted = (wantedEngine === undefined || wantedEngine === engine) && passesFilters;
      return isWanted ? [describeVersion(engine, description, version)] : [];
    }),
  );
  return [['DBEngineVersions', found]];
};

function describeVersion(engine: string, description: string, version: string): XmlElement {
  return [
    'DBEngineVersion',
    [
      ['Engine', engine],
      ['EngineVersion', version],
      ['MajorEngineVersion', majorOf(version)],
      ['DBParameterGroupFamily', `${engine}${majorOf(version)}`],
      ['DBEngineDescription', description],
      ['DBEngineVersionDescription', `${description} ${version}`],
      ['SupportedFeatureNames', SUPPORTED_FEATURES.map((feature): XmlElement => ['member', feature])],
      ['Status', 'available'],
    ],
  ];
}

function majorOf(version: string): string {
  return /^(\d{1,3})(?:\.\d{1,3})?$/.exec(version)?.[1] ?? '';
}
