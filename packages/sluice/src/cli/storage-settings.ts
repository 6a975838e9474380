import type { StorageSettings } from '../s3/object-settings.ts';
import type { ExportFlags } from './export.ts';

/** How the objects are to be stored, of the command line. */
export function storageSettings({ kmsKey, storageClass, tag, metadata }: ExportFlags): StorageSettings {
  return { kmsKeyId: kmsKey, storageClass, tags: tag, metadata };
}
