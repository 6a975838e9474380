// npm run test:soak -- --small 10000 --large 20: tests whether the agent's memory grows while it exports.
import { runHarness } from './run-harness.mjs';

runHarness('soak.test.ts', {
  small: { variable: 'SLUICE_SOAK_SMALL', byDefault: '10000' },
  large: { variable: 'SLUICE_SOAK_LARGE', byDefault: '20' },
});
