import type { PublishedObject } from 'sluice';
import type { JournalEntry } from 'sluice/engine';
import type { AttemptJournal } from './attempt-journal.ts';
import type { FleetClock } from './fleet-clock.ts';

type PublishingEntry = Extract<JournalEntry, { kind: 'publishing' }>;
export type AskedEntry = Extract<JournalEntry, { askedAt: number }>;

/** The entries of a journal by what is to be done about them; times are by this machine's clock. */
export interface LeftEntries {
  /** By their ids. */
  uploads: Map<string, { field: string; bucket: string; key: string; region: string }>;
  objects: { field: string; region: string; object: PublishedObject }[];
  asked: { field: string; entry: AskedEntry }[];
  /** Fields that this fleet has not written. */
  forged: string[];
}

export async function readLeft(journal: AttemptJournal, clock: FleetClock): Promise<LeftEntries> {
  const left: LeftEntries = { uploads: new Map(), objects: [], asked: [], forged: [] };
  for await (const batch of journal.entries()) {
    for (const { field, entry } of batch) {
      if (entry === undefined) left.forged.push(field);
      else if (isPublishing(entry)) {
        for (const object of entry.objects) {
          const askedAt = clock.toLocal(object.askedAt);
          left.objects.push({ field, region: entry.region, object: { ...object, askedAt } });
        }
      } else if (isAsked(entry)) left.asked.push({ field, entry: localTimes(entry, clock) });
      else left.uploads.set(entry.uploadId, { field, ...entry });
    }
  }
  return left;
}

function localTimes(entry: AskedEntry, clock: FleetClock): AskedEntry {
  const { askedAt, lostAt } = entry;
  return {
    ...entry,
    askedAt: clock.toLocal(askedAt),
    ...(lostAt === undefined ? {} : { lostAt: clock.toLocal(lostAt) }),
  };
}

function isPublishing(entry: JournalEntry): entry is PublishingEntry {
  return entry.kind === 'publishing';
}

function isAsked(entry: JournalEntry): entry is AskedEntry {
  return 'askedAt' in entry;
}
