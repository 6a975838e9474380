// npm run test:faults -- --runs 3000 --seed 1 [--only RUN]: exports while S3, STS, PostgreSQL or the agent misbehaves.
import { runHarness } from './run-harness.mjs';

runHarness('faults.test.ts', {
  runs: { variable: 'SLUICE_FAULTS_RUNS', byDefault: '3000' },
  seed: { variable: 'SLUICE_FAULTS_SEED', byDefault: String(Date.now() % 1_000_000) },
  only: { variable: 'SLUICE_FAULTS_ONLY' },
});
