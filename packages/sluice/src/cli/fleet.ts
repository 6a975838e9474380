import type { Command } from 'commander';
import type { Destination } from './export-destination.ts';
import type { ExportFlags } from './export.ts';
import { importCommands, passedOn } from './optional-package.ts';

/** What `@sluice/fleet/cli` exports. */
interface FleetCommands {
  workerCommand: () => Command;
  fleetCommand: () => Command;
  /** Exports on a fleet; returns the exit status. */
  runFleetExport: (destination: Destination, flags: ExportFlags) => Promise<number>;
}

/** @sluice/fleet brings BullMQ: who exports with one machine does not need it. */
export function loadFleet(): Promise<FleetCommands> {
  return importCommands<FleetCommands>({ name: '@sluice/fleet', what: 'the fleet' });
}

/** `sluice worker`. */
export function workerCommand(): Command {
  return passedOn('worker', 'run a worker of a fleet, which exports for others', async () => {
    const fleet = await loadFleet();
    return fleet.workerCommand;
  });
}

/** `sluice fleet`. */
export function fleetCommand(): Command {
  return passedOn(
    'fleet',
    "look at a fleet's exports, cancel and pause them, apply schedules, serve the dashboard",
    async () => {
      const fleet = await loadFleet();
      return fleet.fleetCommand;
    },
  );
}
