// A worker of a fleet in a process of its own: node fleet-worker.mjs <fleet.toml> [timing as JSON]. Logs to standard error.
import { FleetWorker, loadFleetConfig } from '@sluice/fleet';
import { pino } from 'pino';

const [path, timing = '{}'] = process.argv.slice(2);
const config = await loadFleetConfig(path);
const log = pino({ level: config.worker.logLevel }, pino.destination({ dest: 2, sync: true }));
const worker = await FleetWorker.start({ config, log, timing: JSON.parse(timing) });
process.stdout.write('ready\n');
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    void worker.stop({ gracePeriodMs: config.worker.shutdownTimeoutMs }).then(() => process.exit(0));
  });
}
// Ends with the test that has started it.
process.stdin.on('end', () => process.exit(1)).resume();
