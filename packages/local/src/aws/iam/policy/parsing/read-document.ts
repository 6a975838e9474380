import { syntaxError } from '../malformed-policy-error.ts';
import type { Condition } from '../policy.ts';
import type { PolicyVersion } from '../policy-version.ts';
import { type JsonObject, type JsonValue, parseJsonStrictly } from './parse-json-strictly.ts';
import { readConditions } from './read-conditions.ts';
import { type PrincipalsDraft, readPrincipals } from './read-principals.ts';

/** The longest document that IAM's API accepts. The limits for each kind of policy are much lower (policy-size.ts). */
const MAX_DOCUMENT_CHARACTERS = 131_072;
/** A valid policy has six levels: document, statements, statement, operators, keys, values. */
const MAX_DEPTH = 8;

const VERSIONS: readonly string[] = ['2008-10-17', '2012-10-17'] satisfies PolicyVersion[];
const DOCUMENT_ELEMENTS = new Set(['Version', 'Id', 'Statement']);
const STATEMENT_ELEMENTS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

/** A document with the right structure, whose values have not been checked. */
export interface DocumentDraft {
  readonly version: PolicyVersion | undefined;
  readonly statements: readonly StatementDraft[];
}

export interface StatementDraft {
  readonly sid: string | undefined;
  /** The effect as written: `allow` passes the check of the structure, and is refused later. */
  readonly effect: string;
  readonly principals: PrincipalsDraft | undefined;
  readonly actions: ListDraft | undefined;
  readonly resources: ListDraft | undefined;
  readonly conditions: readonly Condition[];
}

export interface ListDraft {
  readonly negated: boolean;
  readonly values: readonly string[];
}

/**
 * Checks the structure of a document. Everything outside the grammar gives the same error: "Syntax errors in policy."
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function readDocument(text: string): DocumentDraft {
  if (text.length > MAX_DOCUMENT_CHARACTERS) throw syntaxError();
  const document = readObject(parse(text), DOCUMENT_ELEMENTS);
  readOptionalString(document, 'Id');
  const version = readOptionalString(document, 'Version');
  if (version !== undefined && !isVersion(version)) throw syntaxError();

  const statement = document.get('Statement');
  if (statement === undefined) throw syntaxError();
  const statements = Array.isArray(statement) ? statement : [statement];
  if (statements.length === 0) throw syntaxError();
  return { version, statements: statements.map(readStatement) };
}

function parse(text: string): JsonValue {
  try {
    return parseJsonStrictly(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    if (error instanceof SyntaxError) throw syntaxError({ cause: error });
    throw error;
  }
}

function readStatement(value: JsonValue): StatementDraft {
  const statement = readObject(value, STATEMENT_ELEMENTS);
  const effect = readOptionalString(statement, 'Effect');
  if (effect === undefined || !/^(?:allow|deny)$/i.test(effect)) throw syntaxError();
  return {
    sid: readOptionalString(statement, 'Sid'),
    effect,
    principals: readPrincipals(statement),
    actions: readList(statement, 'Action', 'NotAction'),
    resources: readList(statement, 'Resource', 'NotResource'),
    conditions: readConditions(statement.get('Condition')),
  };
}

function readObject(value: JsonValue, elements: ReadonlySet<string>): JsonObject {
  if (!(value instanceof Map)) throw syntaxError();
  for (const key of value.keys()) {
    if (!elements.has(key)) throw syntaxError();
  }
  return value;
}

function readOptionalString(object: JsonObject, key: string): string | undefined {
  const value = object.get(key);
  if (value !== undefined && typeof value !== 'string') throw syntaxError();
  return value;
}

function readList(statement: JsonObject, name: string, negatedName: string): ListDraft | undefined {
  const value = statement.get(name);
  const negatedValue = statement.get(negatedName);
  if (value !== undefined && negatedValue !== undefined) throw syntaxError();
  const given = value === undefined ? negatedValue : value;
  if (given === undefined) return undefined;
  return { negated: value === undefined, values: readStrings(given) };
}

function readStrings(value: JsonValue): string[] {
  const items: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  return items.map((item) => {
    if (typeof item !== 'string') throw syntaxError();
    return item;
  });
}

function isVersion(version: string): version is PolicyVersion {
  return VERSIONS.includes(version);
}
