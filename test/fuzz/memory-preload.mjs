// Loaded into an agent by node --import: on SIGUSR2 it collects garbage, and writes the memory still used to
// TEST_MEMORY_FILE.
import { renameSync, writeFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  const file = process.env.TEST_MEMORY_FILE;
  writeFileSync(`${file}.new`, JSON.stringify({ rss, used: heapUsed + external }));
  renameSync(`${file}.new`, file);
});
