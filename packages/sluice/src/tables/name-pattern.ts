import { SluiceError } from '../errors.ts';

/** A pattern of table names, as regular expressions of PostgreSQL. */
export interface NamePattern {
  /** As it was given. */
  text: string;
  database: string | undefined;
  /** Undefined: the schemas of search_path. */
  schema: string | undefined;
  name: string;
  /** Whether the schema, and the name, are spelled out: no wildcard in them. */
  hasLiteralSchema: boolean;
  isLiteral: boolean;
}

interface NamePart {
  expression: string;
  literal: string;
  isLiteral: boolean;
}

/** What PostgreSQL's regular expressions would not take as it stands, between double quotes. */
const SPECIAL = /[|*+?()[\]{}.^$\\]/;
/** Outside of quotes these are left to the regular expression, as psql does. */
const WILD = /[|*+?()[\]{}^\\]/;

/**
 * Reads a pattern as psql and pg_dump do: `*` and `?`, a dot between schema and name, letters in lower case unless
 * quoted, `""` for a quote, anything else a regular expression (https://www.postgresql.org/docs/current/app-psql.html,
 * "Patterns").
 *
 * @throws SluiceError invalid_argument
 */
export function parseNamePattern(text: string): NamePattern {
  const parts = splitParts(text);
  if (parts.length > 3) {
    throw badPattern(
      text,
      'has too many dots',
      'Write [database.]schema.table, and names with dots in double quotes.',
    );
  }
  const [name, schema, database] = parts.toReversed();
  if (name === undefined || parts.some(({ expression }) => expression === '')) {
    throw badPattern(text, 'lacks a name', 'Write a table as schema.table, or several as schema.*.');
  }
  if (database !== undefined && !database.isLiteral) {
    throw badPattern(text, 'has a wildcard in the name of the database', 'One export reads one database.');
  }
  return {
    text,
    database: database?.literal,
    schema: schema === undefined ? undefined : `^(${schema.expression})$`,
    name: `^(${name.expression})$`,
    hasLiteralSchema: schema?.isLiteral ?? false,
    isLiteral: name.isLiteral && (schema?.isLiteral ?? true),
  };
}

function splitParts(text: string): NamePart[] {
  if (text.includes('\0'))
    throw badPattern(text.replaceAll('\0', '\\0'), 'holds a zero character', undefined);
  const parts: NamePart[] = [];
  let part: NamePart = { expression: '', literal: '', isLiteral: true };
  let isQuoted = false;
  // By code points: no name is cut within one.
  const characters = text.match(/./gsu) ?? [];
  for (let i = 0; i < characters.length; i += 1) {
    const character = characters[i] ?? '';
    if (character === '"') {
      if (isQuoted && characters[i + 1] === '"') {
        i += 1;
        part = append(part, '"', '"');
      } else {
        isQuoted = !isQuoted;
      }
    } else if (isQuoted) {
      part = append(part, SPECIAL.test(character) ? `\\${character}` : character, character);
    } else if (character === '.') {
      parts.push(part);
      part = { expression: '', literal: '', isLiteral: true };
    } else {
      part = appendUnquoted(part, character);
    }
  }
  if (isQuoted) throw badPattern(text, 'has an unclosed double quote', 'Write a quote in a name twice.');
  return [...parts, part];
}

function appendUnquoted(part: NamePart, character: string): NamePart {
  if (character === '*') return { ...part, expression: `${part.expression}.*`, isLiteral: false };
  if (character === '?') return { ...part, expression: `${part.expression}.`, isLiteral: false };
  if (character === '$') return append(part, '\\$', '$');
  // PostgreSQL folds the letters of ASCII alone in the encodings that it serves to us.
  const folded = /[A-Z]/.test(character) ? character.toLowerCase() : character;
  return { ...append(part, folded, folded), isLiteral: part.isLiteral && !WILD.test(character) };
}

function append(part: NamePart, expression: string, literal: string): NamePart {
  return {
    ...part,
    expression: part.expression + expression,
    literal: part.literal + literal,
  };
}

export function badPattern(text: string, what: string, hint: string | undefined): SluiceError {
  return new SluiceError('invalid_argument', `the table pattern ${JSON.stringify(text)} ${what}`, { hint });
}
