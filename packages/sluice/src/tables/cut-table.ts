import { SluiceError } from '../errors.ts';
import { MAX_PIECES, type Piece } from './piece.ts';
import { fromRelation, selectList, type Relation, type Table } from './table.ts';

export interface CutOptions {
  /** About how many bytes of a table, TOAST included, a piece shall have. */
  pieceBytes: number;
}

/** A range of pages: from one, up to the next piece's first; the last has no end. */
interface PageRange {
  relation: Relation;
  from: number;
  to: number;
  isFirst: boolean;
  isLast: boolean;
}

/**
 * Cuts a table by ranges of ctid, of which PostgreSQL reads the pages of the range alone (a TID range scan, since 14).
 * The rows of a snapshot stay where they are while a lock keeps the table from being rewritten; what is added on new
 * pages meanwhile is not on the snapshot, and the last range is open at its end. What has no ctid to scan by, or none
 * that the role may use, is one piece: views, foreign tables, partitioned tables read as a whole, access methods other
 * than heap, rights on columns alone.
 *
 * @throws SluiceError invalid_argument
 */
export function cutTable(table: Table, { pieceBytes }: CutOptions): Piece[] {
  expectPieceBytes(pieceBytes);
  const total = table.relations.reduce((sum, relation) => sum + bytesOf(relation), 0);
  // A limit that is too small for the table's size is raised, for all its relations alike.
  const bytes = Math.max(pieceBytes, total / Math.max(1, MAX_PIECES - table.relations.length));
  const ranges = table.relations.flatMap((relation) => rangesOf(relation, bytes));
  return ranges.map((range, index) => pieceOf(table, range, index));
}

function rangesOf(relation: Relation, pieceBytes: number): PageRange[] {
  const { pages } = relation;
  const count = relation.hasTidScans
    ? Math.max(1, Math.min(pages, Math.ceil(bytesOf(relation) / pieceBytes)))
    : 1;
  return Array.from({ length: count }, (_, i) => ({
    relation,
    from: Math.floor((i * pages) / count),
    to: Math.floor(((i + 1) * pages) / count),
    isFirst: i === 0,
    isLast: i === count - 1,
  }));
}

function pieceOf(table: Table, range: PageRange, index: number): Piece {
  const { relation, from, to } = range;
  const pages = to - from;
  const share = relation.pages === 0 ? 1 : pages / relation.pages;
  const bounds = [
    ...(range.isFirst ? [] : [`ctid OPERATOR(pg_catalog.>=) '(${from},0)'::pg_catalog.tid`]),
    ...(range.isLast ? [] : [`ctid OPERATOR(pg_catalog.<) '(${to},0)'::pg_catalog.tid`]),
  ];
  const where = bounds.length === 0 ? '' : ` WHERE ${bounds.join(' AND ')}`;
  return {
    table,
    index,
    sql: `SELECT ${selectList(table.columns)} FROM ${fromRelation(relation)}${where}`,
    estimatedBytes: Math.round(bytesOf(relation) * share),
    estimatedRows:
      relation.estimatedRows === undefined ? undefined : Math.round(relation.estimatedRows * share),
    pages,
  };
}

/** The heap alone says little: most of a table may be in TOAST. */
export function bytesOf({ heapBytes, toastBytes }: Relation): number {
  return heapBytes + toastBytes;
}

export function expectPieceBytes(pieceBytes: number): void {
  if (Number.isSafeInteger(pieceBytes) && pieceBytes > 0) return;
  throw new SluiceError('invalid_argument', `a piece cannot have ${pieceBytes} bytes`);
}
