/** What the program `sluice` finds here: its commands for a fleet. */
export { fleetCommand } from './fleet.ts';
export { runFleetExport } from './run-fleet-export.ts';
export { workerCommand } from './worker.ts';
