// Loaded into a process by node --import: shifts its clock by the milliseconds in the file TEST_CLOCK_FILE, which is
// read at the start and at each SIGUSR2. performance.now and timers are not changed.
import { readFileSync } from 'node:fs';

const RealDate = Date;
let shiftMs = 0;

globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + shiftMs);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + shiftMs;
  }
};

function readShift() {
  shiftMs = Number(readFileSync(process.env.TEST_CLOCK_FILE, 'utf8'));
}

readShift();
process.on('SIGUSR2', readShift);
