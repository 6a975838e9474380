import type { Client } from 'pg';
import { extended } from './open-snapshot.ts';

interface Explained {
  Plan: { 'Plan Rows': number; 'Plan Width': number };
}

/** What PostgreSQL's planner expects of a query: it may be far off. */
export async function estimateQuery(client: Client, query: string): Promise<{ rows: number; bytes: number }> {
  const { rows } = await client.query<{ 'QUERY PLAN': Explained[] }>(
    extended(`EXPLAIN (FORMAT JSON) ${query}`),
  );
  const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
  const count = plan?.['Plan Rows'] ?? 0;
  return { rows: count, bytes: count * (plan?.['Plan Width'] ?? 0) };
}
