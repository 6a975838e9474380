import type { ConditionOperator } from './conditions/operator.ts';
import type { PolicyVersion } from './policy-version.ts';

/**
 * What a policy is attached to: a user, group, role or session (`identity`, also a permissions boundary and a session
 * policy), a role as the list of who may assume it (`trust`), or a resource such as a bucket (`resource`).
 */
export type PolicyKind = 'identity' | 'trust' | 'resource';

/** A policy document as `parsePolicy` found it to be valid. */
export interface Policy {
  readonly kind: PolicyKind;
  readonly version: PolicyVersion;
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly sid: string | undefined;
  readonly effect: Effect;
  /** Undefined in identity policies, which apply to whom they are attached. */
  readonly principals: Listed<PrincipalPattern> | undefined;
  readonly actions: Listed<string>;
  /** Undefined in trust policies, which are about the role that has them. */
  readonly resources: Listed<string> | undefined;
  readonly conditions: readonly Condition[];
}

export type Effect = 'Allow' | 'Deny';

/** The value of an element and of its Not form, e.g. Action and NotAction. */
export interface Listed<T> {
  readonly negated: boolean;
  readonly values: readonly T[];
}

export interface PrincipalPattern {
  readonly type: 'AWS' | 'Service' | 'Federated' | 'CanonicalUser';
  readonly value: string;
}

/** One key of one operator. All conditions of a statement must hold. */
export interface Condition {
  readonly operator: ConditionOperator;
  readonly quantifier: Quantifier;
  readonly ifExists: boolean;
  readonly key: string;
  readonly values: readonly string[];
}

export type Quantifier = 'none' | 'ForAllValues' | 'ForAnyValue';
