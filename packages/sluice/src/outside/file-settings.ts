import { objectSettingsOf, type ObjectSettings } from '../s3/object-settings.ts';
import type { ExportPlan } from './export-plan.ts';
import type { ExportTablesRequest } from './export-tables-request.ts';

/** What the files of an export are stored with. */
export function fileSettings(plan: ExportPlan, request: ExportTablesRequest): ObjectSettings {
  return objectSettingsOf({ ...request, contentType: contentTypeOf(plan) });
}

/** Of the manifest: as the files, but for the storage class, since it is read at once and small. */
export function manifestSettings(request: ExportTablesRequest): ObjectSettings {
  return objectSettingsOf({ ...request, contentType: 'application/json', storageClass: undefined });
}

/** The names of compressed files end with .gz or .zst, by which readers know them: to S3 they are what they are. */
function contentTypeOf({ layout, compression }: ExportPlan): string {
  return compression === undefined ? layout.contentType : `application/${compression.format}`;
}
