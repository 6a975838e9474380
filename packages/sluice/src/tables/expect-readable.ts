import { SluiceError } from '../errors.ts';
import { kindOf, type RelationFacts } from './describe-tables.ts';
import { shownName } from './table.ts';

/** Why a table cannot be read. */
interface Obstacle {
  relation: RelationFacts;
  /** Goes on after the table's name. */
  what: string;
  detail?: string;
  hint: string;
}

/** More tables, or columns, than these are not named in one message. */
const MAX_NAMED = 10;

/**
 * Every table, and every leaf of a partitioned one, has rows that the role may read.
 *
 * @throws SluiceError table_unreadable, which names all that have not
 */
export function expectReadable(
  tables: readonly { root: RelationFacts; leaves: readonly RelationFacts[] }[],
): void {
  const obstacles = tables.flatMap(
    ({ root, leaves }) =>
      missingRight(root) ?? leaves.map(missingRows).find((found) => found !== undefined) ?? [],
  );
  const [first, ...others] = obstacles;
  if (first === undefined) return;
  if (others.length === 0) {
    const { detail, hint } = first;
    throw new SluiceError('table_unreadable', sentence(first), { detail, hint });
  }
  const named = obstacles.slice(0, MAX_NAMED).map(sentence).join('; ');
  throw new SluiceError('table_unreadable', `${obstacles.length} tables of the export cannot be read`, {
    detail: `${named}${obstacles.length > MAX_NAMED ? '; ...' : '.'}`,
    hint: first.hint,
  });
}

function sentence({ relation, what }: Obstacle): string {
  return `the ${kindOf(relation)} ${shownName(relation)} ${what}`;
}

function missingRight(relation: RelationFacts): Obstacle | undefined {
  const { schema, columns, mayUseSchema, mayRead } = relation;
  const what = 'may not be read';
  if (!mayUseSchema) {
    return {
      relation,
      what,
      detail: `The role has no USAGE privilege on the schema "${schema}".`,
      hint: 'GRANT USAGE ON SCHEMA ... TO the role that exports.',
    };
  }
  if (mayRead) return undefined;
  const denied = (columns ?? []).flatMap((column) => (column.mayRead ? [] : [`"${column.name}"`]));
  if (denied.length === 0 || denied.length === columns?.length) {
    return {
      relation,
      what,
      detail: 'The role has no SELECT privilege on it.',
      hint: 'GRANT SELECT ON it TO the role that exports.',
    };
  }
  return {
    relation,
    what,
    detail: `The role has no SELECT privilege on ${denied.length === 1 ? 'the column' : 'the columns'} ${denied.slice(0, MAX_NAMED).join(', ')}.`,
    hint: 'GRANT SELECT ON it TO the role that exports, or export a query of the other columns.',
  };
}

function missingRows(relation: RelationFacts): Obstacle | undefined {
  if (!relation.isPopulated) {
    return { relation, what: 'has not been populated', hint: 'REFRESH MATERIALIZED VIEW fills it.' };
  }
  if (relation.isInRecovery && relation.persistence === 'u') {
    return {
      relation,
      what: 'is unlogged, which a standby cannot read',
      hint: 'Export it from the primary, or leave it out.',
    };
  }
  return undefined;
}
