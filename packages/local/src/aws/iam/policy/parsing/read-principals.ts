import { syntaxError } from '../malformed-policy-error.ts';
import type { JsonObject, JsonValue } from './parse-json-strictly.ts';

export interface PrincipalsDraft {
  readonly negated: boolean;
  /** Type and value as written, e.g. `['AWS', '123456789012']`. `"*"` is short for `{"AWS": "*"}`. */
  readonly values: readonly (readonly [type: string, value: string])[];
}

export function readPrincipals(statement: JsonObject): PrincipalsDraft | undefined {
  const principal = statement.get('Principal');
  const notPrincipal = statement.get('NotPrincipal');
  if (principal !== undefined && notPrincipal !== undefined) throw syntaxError();
  const element = principal === undefined ? notPrincipal : principal;
  if (element === undefined) return undefined;
  return { negated: principal === undefined, values: readEntries(element) };
}

function readEntries(element: JsonValue): [type: string, value: string][] {
  if (element === '*') return [['AWS', '*']];
  if (!(element instanceof Map)) throw syntaxError();
  const entries: [string, string][] = [];
  for (const [type, value] of element) {
    const items: readonly JsonValue[] = Array.isArray(value) ? value : [value];
    for (const item of items) {
      if (typeof item !== 'string') throw syntaxError();
      entries.push([type, item]);
    }
  }
  return entries;
}
