import {
  ExportReport,
  Interruption,
  prefixOf,
  readQuery,
  storageSettings,
  type Destination,
  type ExportFlags,
} from 'sluice/cli';
import type { FleetRequest } from '../fleet-export.ts';
import { followExport, type Followed } from './follow-export.ts';
import { withClient } from './with-client.ts';

/**
 * `sluice export --fleet`: has a fleet export, and shows it as if it ran here.
 *
 * @returns the exit status
 */
export async function runFleetExport(destination: Destination, flags: ExportFlags): Promise<number> {
  const report = new ExportReport(flags);
  const interruption = new Interruption();
  const { signal } = interruption;
  try {
    const request = await requestOf(destination, flags, signal);
    await withClient(
      { config: flags.fleet ?? '' },
      async (client) => {
        const id = await client.submit(request);
        const followed = { client, id, report };
        if (flags.detach === true) writeId(id, flags);
        else report.tell('submitted', { id }, `export ${id} (sluice fleet show ${id})`);
        await warnWithoutWorkers(followed, request.source);
        if (flags.detach === true) return;
        const { rows, files, bytes, storedBytes, manifestUrl } = await followExport(followed, signal);
        const uri = await destinationOf(followed, request);
        report.done({ uri, rows, files, bytes, storedBytes, manifest: manifestUrl });
      },
      { signal },
    );
    return 0;
  } catch (error) {
    report.failed(error);
    return interruption.exitStatus ?? 1;
  } finally {
    report.end();
    interruption.end();
  }
}

function writeId(id: string, { json = false }: ExportFlags): void {
  process.stdout.write(json ? `${JSON.stringify({ event: 'submitted', id })}\n` : `${id}\n`);
}

async function requestOf(
  { bucket, path }: Destination,
  flags: ExportFlags,
  signal: AbortSignal,
): Promise<FleetRequest> {
  return {
    source: flags.source ?? '',
    bucket,
    prefix: prefixOf(path),
    tables: flags.table,
    query: flags.query === undefined ? undefined : await readQuery(flags.query, { signal }),
    splitBy: flags.splitBy,
    copyOptions: flags.options,
    fileSizeBytes: flags.fileSize,
    compression: flags.compression,
    headerIn: flags.headerIn,
    ...storageSettings(flags),
    manifest: flags.manifest,
    ifExists: flags.ifExists,
    region: flags.region,
    priority: flags.priority,
  };
}

async function warnWithoutWorkers({ client, id, report }: Followed, source: string): Promise<void> {
  const workers = await client.workers();
  if (workers.some((worker) => worker.source === source)) return;
  const line = `warning: no worker has the source "${source}" now; the export waits until one is started (sluice worker)`;
  report.tell('no_workers', { id, source }, line);
}

/** With the date in the place of `{{date}}`, if Redis still answers. */
async function destinationOf({ client, id }: Followed, { bucket, prefix }: FleetRequest): Promise<string> {
  const shown = await client.show(id).catch(() => undefined);
  return shown?.destination ?? `s3://${bucket}/${prefix}`;
}
