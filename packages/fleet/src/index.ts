/** Exports of Sluice on a fleet of workers. */
export {
  FleetClient,
  type AppliedSchedules,
  type FleetClientOptions,
  type FleetScheduleState,
  type FleetWorkerState,
} from './fleet-client.ts';
export { loadFleetConfig, type FleetConfig, type FleetSchedule, type SourceConfig } from './fleet-config.ts';
export type * from './fleet-export.ts';
export { FleetWorker, type FleetWorkerOptions } from './fleet-worker.ts';
export type { FleetTiming } from './timing.ts';
