import { arnEquals, arnLike, arnNotEquals, arnNotLike } from './arn-like.ts';
import { binaryEquals } from './binary-equals.ts';
import { bool } from './bool.ts';
import { dateEquals, dateNotEquals } from './date-equals.ts';
import { dateGreaterThanEquals } from './date-greater-than-equals.ts';
import { dateGreaterThan } from './date-greater-than.ts';
import { dateLessThanEquals } from './date-less-than-equals.ts';
import { dateLessThan } from './date-less-than.ts';
import { ipAddress, notIpAddress } from './ip-address.ts';
import { nullOperator } from './null.ts';
import { numericEquals, numericNotEquals } from './numeric-equals.ts';
import { numericGreaterThanEquals } from './numeric-greater-than-equals.ts';
import { numericGreaterThan } from './numeric-greater-than.ts';
import { numericLessThanEquals } from './numeric-less-than-equals.ts';
import { numericLessThan } from './numeric-less-than.ts';
import type { ConditionOperator } from './operator.ts';
import { stringEqualsIgnoreCase, stringNotEqualsIgnoreCase } from './string-equals-ignore-case.ts';
import { stringEquals, stringNotEquals } from './string-equals.ts';
import { stringLike, stringNotLike } from './string-like.ts';

const OPERATORS: readonly ConditionOperator[] = [
  stringEquals,
  stringNotEquals,
  stringEqualsIgnoreCase,
  stringNotEqualsIgnoreCase,
  stringLike,
  stringNotLike,
  numericEquals,
  numericNotEquals,
  numericLessThan,
  numericLessThanEquals,
  numericGreaterThan,
  numericGreaterThanEquals,
  dateEquals,
  dateNotEquals,
  dateLessThan,
  dateLessThanEquals,
  dateGreaterThan,
  dateGreaterThanEquals,
  bool,
  binaryEquals,
  ipAddress,
  notIpAddress,
  arnEquals,
  arnNotEquals,
  arnLike,
  arnNotLike,
  nullOperator,
];

/** By the name that policies use, e.g. `StringEquals`. */
export const operatorsByName: ReadonlyMap<string, ConditionOperator> = new Map(
  OPERATORS.map((operator) => [operator.name, operator]),
);
