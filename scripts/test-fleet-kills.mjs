// npm run test:fleet-kills -- --kills 20 [--seed 1]: kills workers of a fleet at random moments while it exports 40 tables.
import { runHarness } from './run-harness.mjs';

runHarness('fleet-kills.test.ts', {
  kills: { variable: 'SLUICE_FLEET_KILLS', byDefault: '20' },
  seed: { variable: 'SLUICE_FLEET_KILLS_SEED', byDefault: String(Date.now() % 1_000_000) },
});
