const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/** `45s`, `12m`, `3h`, `5d`: how old something is, in a column. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 2 * MINUTE_S) return `${seconds}s`;
  if (seconds < 2 * HOUR_S) return `${Math.floor(seconds / MINUTE_S)}m`;
  if (seconds < 2 * DAY_S) return `${Math.floor(seconds / HOUR_S)}h`;
  return `${Math.floor(seconds / DAY_S)}d`;
}

/** `2026-11-25 02:15:00 Europe/Berlin`. */
export function formatInstant(instant: Date, timeZone = 'UTC'): string {
  // Sweden writes the time as ISO 8601 does.
  const text = instant.toLocaleString('sv-SE', { timeZone });
  return `${text} ${timeZone}`;
}
