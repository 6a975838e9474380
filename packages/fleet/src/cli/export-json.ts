import type { FleetExport } from '../fleet-export.ts';

/** An export for programs: the names as in the events of `sluice export --json`, instants in ISO 8601, numbers. */
export function exportJson({ progress, result, error, ...shown }: FleetExport): object {
  return {
    id: shown.id,
    state: shown.state,
    source: shown.source,
    destination: shown.destination,
    schedule: shown.schedule ?? null,
    worker: shown.worker ?? null,
    attempts: shown.attempts,
    submitted_at: shown.submittedAt.toISOString(),
    started_at: shown.startedAt?.toISOString() ?? null,
    ended_at: shown.endedAt?.toISOString() ?? null,
    progress:
      progress === undefined
        ? null
        : {
            phase: progress.phase,
            stored_bytes: progress.storedBytes,
            published_files: progress.publishedFiles,
            elapsed_ms: Math.round(progress.elapsedMs),
            tables: progress.tables.map((table) => ({
              name: table.name,
              pieces: table.pieces,
              done_pieces: table.donePieces,
              running: table.running,
              rows: table.rows,
              bytes: table.bytes,
              estimated_rows: table.estimatedRows ?? null,
              estimated_bytes: table.estimatedBytes,
            })),
          },
    result:
      result === undefined
        ? null
        : {
            rows: Number(result.rows),
            files: result.files,
            bytes: result.bytes,
            stored_bytes: result.storedBytes,
            manifest: result.manifestUrl ?? null,
          },
    error:
      error === undefined
        ? null
        : {
            code: error.code ?? null,
            message: error.message,
            detail: error.detail ?? null,
            hint: error.hint ?? null,
          },
  };
}

/** One JSON document. */
export function writeJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
