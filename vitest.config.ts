import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Acceptance tests that wait long, or try a great many cases: `npm run test:long`, and `.ci/run`. */
const LONG = [
  'test/acceptance/doctor-outside.test.ts',
  'test/acceptance/doctor.test.ts',
  'test/acceptance/export-dry-run.test.ts',
  'test/acceptance/export-faults.test.ts',
  'test/acceptance/export-s3-errors.test.ts',
  'test/acceptance/fleet-commands.test.ts',
  'test/acceptance/fleet-redis-tls.test.ts',
  'test/acceptance/fleet-redis.test.ts',
  'test/acceptance/killed-publishing.test.ts',
  'test/acceptance/packages.test.ts',
  'test/acceptance/snapshot-keeper.test.ts',
  'test/faults/fleet-kills.test.ts',
  'test/faults/soak.test.ts',
  'test/oracle/settings.test.ts',
];

export default defineConfig({
  test: {
    // Most tests wait for servers of their own: three files at a time even where there are two cores.
    maxWorkers: Math.max(3, Math.floor(availableParallelism() / 2)),
    // Tests make clients of the AWS SDK themselves; what our programs print is tested without this.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['packages/*/test/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'acceptance',
          include: ['test/**/*.test.ts'],
          exclude: LONG,
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'long',
          include: LONG,
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
