import type { PieceJob, PieceResult, PieceSettings, SharedSnapshot, Table } from 'sluice/engine';
import { z } from 'zod';
import { pieceJobId } from './fleet-names.ts';
import type { Seal } from './seal.ts';

/** What BullMQ keeps of a piece. What is acted on is in `task`; the rest says whose it is, and is shown. */
export interface PieceJobData {
  export: string;
  attempt: string;
  piece: number;
  table: string;
  key: string;
  estimatedBytes: number;
  /** Sealed. */
  task: string;
  /** Sealed: why it has failed. */
  failure?: string;
}

/** What whoever reads a piece has to know. */
export interface PieceTask {
  job: PieceJob;
  settings: PieceSettings;
  snapshot: SharedSnapshot;
  /** To be locked before it is read. */
  tables: Table[];
  /** Of the bucket. */
  region: string;
}

/** How far a piece is; shown, and not relied on. */
export interface PieceProgress {
  rows: number;
  bytes: number;
  storedBytes: number;
}

export type PieceOwner = Pick<PieceJobData, 'export' | 'attempt' | 'piece'>;

const resultSchema = z.object({
  id: z.number(),
  rows: z.string().transform(BigInt),
  bytes: z.number(),
  files: z.array(
    z.object({
      key: z.string(),
      bytes: z.number(),
      uploadId: z.string().optional(),
      parts: z.array(z.object({ partNumber: z.number(), etag: z.string(), checksum: z.string().optional() })),
    }),
  ),
});

const taskSchema = z.object({
  job: z.object({
    id: z.number(),
    table: z.number(),
    sql: z.string(),
    hasHeaderLine: z.boolean(),
    key: z.string(),
    estimatedBytes: z.number(),
  }),
  settings: z.custom<PieceSettings>(
    (value) => typeof value === 'object' && value !== null && 'bucket' in value,
  ),
  snapshot: z.object({ id: z.string(), serverVersion: z.number() }),
  tables: z.custom<Table[]>((value) => Array.isArray(value)),
  region: z.string(),
});

const progressSchema = z.object({ rows: z.number(), bytes: z.number(), storedBytes: z.number() });

export function contextOf(owner: PieceOwner): string[] {
  return [owner.export, owner.attempt, String(owner.piece)];
}

/** For workers of one source: its SQL must not be run on another, wherever in Redis its job is put. */
export function sealTask(seal: Seal, source: string, owner: PieceOwner, task: PieceTask): string {
  return seal.seal('piece', [source, ...contextOf(owner)], task);
}

/** @throws SluiceError `protocol_violation`: it was not sealed for this job of this source */
export function openTask(
  seal: Seal,
  source: string,
  jobId: string | undefined,
  data: PieceJobData,
): PieceTask {
  const isItsOwn = jobId === pieceJobId(data.export, data.attempt, data.piece);
  return taskSchema.parse(seal.open('piece', isItsOwn ? [source, ...contextOf(data)] : [], data.task));
}

export function sealPieceResult(seal: Seal, owner: PieceOwner, result: PieceResult): string {
  return seal.seal('result', contextOf(owner), result);
}

/** @throws SluiceError `protocol_violation`: no worker of this fleet has answered that */
export function openPieceResult(seal: Seal, owner: PieceOwner, sealed: unknown): PieceResult {
  const { files, ...result } = resultSchema.parse(seal.open('result', contextOf(owner), sealed));
  return {
    ...result,
    files: files.map(({ key, bytes, uploadId, parts }) => ({
      key,
      bytes,
      uploadId,
      parts: parts.map(({ partNumber, etag, checksum }) => ({ partNumber, etag, checksum })),
    })),
  };
}

export function parsePieceProgress(value: unknown): PieceProgress | undefined {
  const parsed = progressSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
