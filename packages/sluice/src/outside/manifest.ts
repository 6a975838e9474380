import type { SentFileData } from '../exporter/sent-file.ts';
import { checksumOf, checksumOfParts } from '../s3/body.ts';
import { VERSION } from '../version.ts';
import type { ExportPlan } from './export-plan.ts';
import type { HeaderIn } from './piece-copy.ts';
import type { PieceJob, PieceResult } from './piece-job.ts';

/** One file of an export, with the fields that Amazon Redshift reads. */
interface ManifestEntry {
  url: string;
  mandatory: true;
  meta: {
    content_length: number;
    record_count: number;
    /**
     * As S3 gives it (ChecksumCRC32): base64, of a file in parts the composite one with their number. null where checksums
     * are switched off.
     */
    checksum_crc32: string | null;
  };
  /** `schema.table`, or "query". */
  table: string;
}

interface ManifestTable {
  /** `schema.table`, or "query". */
  name: string;
  columns: readonly { name: string; type: string }[];
  record_count: number;
  files: number;
}

/**
 * What says that an export is whole. `entries` makes it a manifest of Amazon Redshift, which passes over the rest.
 * https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
 */
export interface Manifest {
  entries: ManifestEntry[];
  format: 'text' | 'csv' | 'binary';
  compression: string | null;
  /** Which files of a table begin with a header line; null where none does. */
  header_in: HeaderIn | null;
  tables: ManifestTable[];
  snapshot: {
    /** By the server's clock. */
    taken_at: string;
    /** null where the server does not tell. */
    lsn: string | null;
    /** As server_version_num. */
    server_version: number;
  };
  generator: string;
}

function checksumOfFile(parts: SentFileData['parts']): string | undefined {
  // A file without bytes is stored by one PutObject.
  return parts.length === 0 ? checksumOf([]) : checksumOfParts(parts.map(({ checksum }) => checksum));
}

/** The text of an export's manifest. */
export function manifestOf(
  plan: Pick<ExportPlan, 'tables' | 'jobs' | 'keeper' | 'layout' | 'compression'>,
  { results, bucket }: { results: readonly PieceResult[]; bucket: string },
): string {
  const { snapshot } = plan.keeper;
  const done = results.map((result) => ({ result, table: plan.jobs[result.id]?.table }));
  const totals = plan.tables.map(() => ({ record_count: 0, files: 0 }));
  for (const { result, table = -1 } of done) {
    const total = totals[table];
    if (total === undefined) continue;
    total.record_count += Number(result.rows);
    total.files += result.files.length;
  }
  const manifest: Manifest = {
    entries: done.flatMap(({ result: { files, rows }, table = -1 }) =>
      files.map(({ key, bytes, parts }) => ({
        url: `s3://${bucket}/${key}`,
        mandatory: true as const,
        meta: {
          content_length: bytes,
          record_count: Number(rows),
          checksum_crc32: checksumOfFile(parts) ?? null,
        },
        table: plan.tables[table]?.name ?? '',
      })),
    ),
    format: plan.layout.rowFormat.format,
    compression: plan.compression?.format ?? null,
    header_in: headerInOf(plan.jobs),
    tables: plan.tables.map(({ name, columns }, index) => ({
      name,
      columns,
      ...(totals[index] ?? { record_count: 0, files: 0 }),
    })),
    snapshot: {
      taken_at: snapshot.takenAt.toISOString(),
      lsn: snapshot.lsn ?? null,
      server_version: snapshot.serverVersion,
    },
    generator: `sluice ${VERSION}`,
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

function headerInOf(jobs: readonly PieceJob[]): HeaderIn | null {
  if (jobs.every(({ hasHeaderLine }) => hasHeaderLine)) return 'each';
  return jobs.some(({ hasHeaderLine }) => hasHeaderLine) ? 'first' : null;
}
