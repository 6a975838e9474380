import { z } from 'zod';

const place = {
  bucket: z.string(),
  key: z.string(),
};
const access = {
  region: z.string(),
  /** The database role that the export ran for, whose AWS session cleans up; undefined where there is but one. */
  databaseRole: z.string().optional(),
};

/** S3 was asked to open an upload. S3 may have opened it, but its id is not known. */
const askedSchema = z.object({
  kind: z.literal('asked').optional(),
  ...place,
  ...access,
  /** In milliseconds since 1970, by our clock. */
  askedAt: z.number(),
  /** When the agent stopped waiting for the answer. Missing when the agent was killed before that. */
  lostAt: z.number().optional(),
  uploadId: z.undefined().optional(),
});

const uploadSchema = z.object({
  kind: z.literal('upload').optional(),
  ...place,
  ...access,
  uploadId: z.string(),
});

const publishingSchema = z.object({
  kind: z.literal('publishing'),
  ...access,
  objects: z.array(
    z.object({
      ...place,
      uploadId: z.string().optional(),
      bytes: z.number(),
      checksum: z.string().optional(),
      askedAt: z.number(),
      etag: z.string().optional(),
      versionId: z.string().optional(),
    }),
  ),
});

export const journalEntrySchema = z.union([publishingSchema, uploadSchema, askedSchema]);

export type AskedEntry = z.output<typeof askedSchema>;
export type UploadEntry = z.output<typeof uploadSchema>;
/** The objects that an export publishes. The entry stays until the export has succeeded or everything is cleaned up. */
export type PublishingEntry = z.output<typeof publishingSchema>;

/** What would have to be cleaned up at S3 if the agent were killed now. */
export type JournalEntry = AskedEntry | UploadEntry | PublishingEntry;
