import { operatorsByName } from '../conditions/operators.ts';
import type { ConditionOperator } from '../conditions/operator.ts';
import { syntaxError } from '../malformed-policy-error.ts';
import type { Condition, Quantifier } from '../policy.ts';
import { JsonNumber, type JsonValue } from './parse-json-strictly.ts';

const IF_EXISTS = 'IfExists';

/** One entry for each key of each operator. An operator without keys has no effect, even if its name is unknown. */
export function readConditions(element: JsonValue | undefined): Condition[] {
  if (element === undefined) return [];
  if (!(element instanceof Map)) throw syntaxError();
  const conditions: Condition[] = [];
  for (const [name, keys] of element) {
    if (!(keys instanceof Map)) throw syntaxError();
    for (const [key, value] of keys) {
      conditions.push({ ...readOperator(name), key, values: readValues(value) });
    }
  }
  return conditions;
}

/** @param name e.g. `ForAllValues:StringLikeIfExists` */
function readOperator(name: string): {
  operator: ConditionOperator;
  quantifier: Quantifier;
  ifExists: boolean;
} {
  const colon = name.indexOf(':');
  const quantifier = colon === -1 ? 'none' : readQuantifier(name.slice(0, colon));
  const rest = name.slice(colon + 1);
  const ifExists = rest.endsWith(IF_EXISTS);
  const operator = operatorsByName.get(ifExists ? rest.slice(0, -IF_EXISTS.length) : rest);
  if (operator === undefined || (ifExists && operator.compares === 'presence')) throw syntaxError();
  return { operator, quantifier, ifExists };
}

function readQuantifier(prefix: string): Quantifier {
  if (prefix === 'ForAllValues' || prefix === 'ForAnyValue') return prefix;
  throw syntaxError();
}

function readValues(value: JsonValue): string[] {
  const items: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  return items.map((item) => {
    if (typeof item === 'string') return item;
    if (typeof item === 'boolean') return String(item);
    if (item instanceof JsonNumber) return item.text;
    throw syntaxError();
  });
}
