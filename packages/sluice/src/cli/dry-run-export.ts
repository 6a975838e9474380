import { ExportPlan } from '../outside/export-plan.ts';
import type { ExportTablesRequest } from '../outside/export-tables-request.ts';
import { fileSettings, manifestSettings } from '../outside/file-settings.ts';
import { tryDestination, type Trial } from '../outside/try-destination.ts';
import { formatPlan } from './format-plan.ts';

export interface DryRunOptions {
  /** Of a query that goes to the path as it is given. */
  oneKey: string | undefined;
  isJson: boolean | undefined;
}

/** Says what would be exported, and tries what can be tried without storing anything. */
export async function dryRunExport(
  request: ExportTablesRequest,
  { oneKey, isJson = false }: DryRunOptions,
): Promise<void> {
  const plan = await ExportPlan.open(request);
  try {
    const trial = oneKey === undefined ? trialOf(plan, request) : trialOfOne(plan, request, oneKey);
    const tried = await tryDestination(trial);
    const { bucket } = request;
    const described = {
      ...plan.describe(),
      ...(oneKey === undefined ? {} : { destination: `s3://${bucket}/${oneKey}` }),
      tried,
    };
    process.stdout.write(isJson ? `${JSON.stringify(described)}\n` : formatPlan(described));
  } finally {
    await plan[Symbol.asyncDispose]();
  }
}

/** A file, and the manifest: what may be stored below the prefix may be so for all. */
function trialOf(plan: ExportPlan, request: ExportTablesRequest): Trial {
  const { manifestKey } = plan;
  const keys = plan.jobs.map(({ key }) => key);
  const manifest = manifestKey === undefined ? [] : [{ key: manifestKey, ...manifestSettings(request) }];
  return {
    destination: plan.destination,
    ifExists: request.ifExists ?? 'fail',
    uploads: [...keys.slice(0, 1).map((key) => ({ key, ...fileSettings(plan, request) })), ...manifest],
    own: new Set([...keys, ...manifest.map(({ key }) => key)]),
  };
}

function trialOfOne(plan: ExportPlan, request: ExportTablesRequest, key: string): Trial {
  return {
    destination: { ...plan.destination, prefixes: [key] },
    ifExists: request.ifExists ?? 'fail',
    uploads: [{ key, ...fileSettings(plan, request) }],
    own: new Set([key]),
  };
}
