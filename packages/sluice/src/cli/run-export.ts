import { isSluiceError } from '../errors.ts';
import { ExportPlan } from '../outside/export-plan.ts';
import type { ExportTablesRequest } from '../outside/export-tables-request.ts';
import { runPlan } from '../outside/run-plan.ts';
import type { S3Connection } from '../s3/connection.ts';
import { exportQuery } from '../source/export-query.ts';
import { connectAsAwsCli } from './aws-settings.ts';
import type { ExportFlags } from './export.ts';
import { ExportReport } from './export-report.ts';
import { Interruption } from './interruption.ts';
import { readQuery } from './read-query.ts';

export interface Destination {
  bucket: string;
  path: string;
}

/** @returns the exit status */
export async function runExport(destination: Destination, flags: ExportFlags): Promise<number> {
  const report = new ExportReport(flags);
  using interruption = new Interruption();
  const { signal } = interruption;
  let connection: S3Connection | undefined;
  try {
    connection = await connectAsAwsCli(flags);
    const query = flags.query === undefined ? undefined : await readQuery(flags.query, { signal });
    if (flags.table.length === 0 && flags.splitBy === undefined && query !== undefined) {
      await runQuery(destination, flags, { connection, query, report, signal });
    } else {
      await runTables(destination, flags, { connection, query, report, signal });
    }
    return 0;
  } catch (error) {
    report.failed(interruption.name === undefined ? error : interruption.error);
    return interruption.exitStatus ?? 1;
  } finally {
    report.end();
    await connection?.close();
  }
}

interface Work {
  connection: S3Connection;
  report: ExportReport;
  signal: AbortSignal;
}
