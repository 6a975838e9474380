import { ExportPlan } from './export-plan.ts';
import type { ExportTablesRequest, ExportTablesResult } from './export-tables-request.ts';
import { runPlan } from './run-plan.ts';

/**
 * Exports whole tables, and a query beside them, over several connections that see one snapshot of the database. Every
 * file is uploaded before the first is published; the manifest is written last. When anything fails nothing is left.
 *
 * @throws SluiceError `table_not_found`, `table_unreadable`, `table_locked`, `snapshot_lost`, `database_unavailable`,
 *   `destination_exists`, `options_syntax`, `invalid_argument`, `credentials_unavailable`
 * @throws UploadError as exportToS3; errors of PostgreSQL, as they are; the signal's reason
 */
export async function exportTables(request: ExportTablesRequest): Promise<ExportTablesResult> {
  await using plan = await ExportPlan.open(request);
  await plan.checkDestination();
  return await runPlan(plan, request);
}
