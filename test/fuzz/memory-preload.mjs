// Loaded into an agent by node --import: at SIGUSR2 it writes what it still uses after a collection to TEST_MEMORY_FILE.
import { renameSync, writeFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  const file = process.env.TEST_MEMORY_FILE;
  writeFileSync(`${file}.new`, JSON.stringify({ rss, used: heapUsed + external }));
  renameSync(`${file}.new`, file);
});
