import type { AwsExchange } from './aws-exchange.ts';
import type { LogLine } from './own-agent.ts';
import type { ExportDraw } from './export-draw.ts';
import type { PlanStep } from './fault-plan.ts';

/** The result of one run. */
export interface RunReport {
  run: number;
  draw: ExportDraw;
  plan: readonly PlanStep[];
  /** Descriptions of the faults that were applied. */
  met: readonly string[];
  outcome: 'succeeded' | 'failed' | 'did not end';
  error?: string;
  ms: number;
  settleMs: number;
  /** The names of the rules that explain what was left. */
  undecided: readonly string[];
  violations: readonly string[];
  /** Set for a violation, because a race may not happen again: the agent's requests to AWS and its log. */
  evidence?: { exchanges: readonly AwsExchange[]; log: readonly LogLine[] };
}

/** One line for each fault: how often it was applied, and how the calls ended. */
export function summarise(reports: readonly RunReport[]): string {
  const rows = new Map<string, { met: number; succeeded: number; failed: number; longestMs: number }>();
  const none = { met: 0, succeeded: 0, failed: 0, longestMs: 0 };
  for (const { met, outcome, ms } of reports) {
    for (const name of met.length === 0 ? ['no fault was met'] : new Set(met)) {
      const row = rows.get(name) ?? { ...none };
      row.met += 1;
      row.succeeded += outcome === 'succeeded' ? 1 : 0;
      row.failed += outcome === 'failed' ? 1 : 0;
      row.longestMs = Math.max(row.longestMs, ms);
      rows.set(name, row);
    }
  }
  const lines = [...rows.entries()]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(
      ([name, { met, succeeded, failed, longestMs }]) =>
        `${String(met).padStart(6)} met ${String(succeeded).padStart(6)} succeeded ${String(failed).padStart(6)} failed ${String(longestMs).padStart(6)} ms at most  ${name}`,
    );
  const undecided = countOf(reports.flatMap((report) => [...new Set(report.undecided)]));
  for (const [rule, count] of undecided) lines.push(`${String(count).padStart(6)} undecidable: ${rule}`);
  const violated = reports.filter(({ violations }) => violations.length > 0).length;
  lines.push(`${reports.length} runs, ${violated} with a violation`);
  return lines.join('\n');
}

function countOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
