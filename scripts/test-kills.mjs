// npm run test:kills -- --kills 200 [--seed 1]: kills the agent at random moments while six sessions export.
import { runHarness } from './run-harness.mjs';

runHarness('kills.test.ts', {
  kills: { variable: 'SLUICE_KILLS', byDefault: '200' },
  seed: { variable: 'SLUICE_KILLS_SEED', byDefault: String(Date.now() % 1_000_000) },
});
