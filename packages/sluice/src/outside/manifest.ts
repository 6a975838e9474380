import { VERSION } from '../version.ts';

/** One file of an export. The names of the fields are those that Amazon Redshift reads (and Snowflake's tools write). */
export interface ManifestEntry {
  url: string;
  mandatory: true;
  meta: { content_length: number; record_count: number };
  checksum?: { algorithm: 'CRC32'; value: string };
  table?: string;
}

export interface ManifestTable {
  schema: string;
  name: string;
  columns: { name: string; type: string }[];
  rows: number;
  files: number;
}

/**
 * What says that an export is whole. `entries` is a Redshift manifest as it is; what Redshift does not know it passes
 * over. https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
 */
export interface Manifest {
  entries: ManifestEntry[];
  format: string;
  compression: string | null;
  tables: ManifestTable[];
  snapshot: { taken_at: string; lsn: string | null; server_version: string };
  generator: string;
}

export function writeManifest(manifest: Omit<Manifest, 'generator'>): string {
  return `${JSON.stringify({ ...manifest, generator: `sluice ${VERSION}` }, undefined, 2)}\n`;
}
