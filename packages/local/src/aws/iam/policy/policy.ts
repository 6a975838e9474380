import type { ConditionOperator } from './conditions/operator.ts';
import type { PolicyVersion } from './policy-version.ts';

/**
 * The kind of a policy, by what it is attached to: a user, group, role or session (`identity`, also for permissions
 * boundaries and session policies), a role, to say who may assume it (`trust`), or a resource such as a bucket
 * (`resource`).
 */
export type PolicyKind = 'identity' | 'trust' | 'resource';

/** A valid policy document, made by `parsePolicy`. */
export interface Policy {
  readonly kind: PolicyKind;
  readonly version: PolicyVersion;
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly sid: string | undefined;
  readonly effect: Effect;
  /** Undefined in identity policies, which apply to the identity that they are attached to. */
  readonly principals: Listed<PrincipalPattern> | undefined;
  readonly actions: Listed<string>;
  /** Undefined in trust policies, which are about the role that has them. */
  readonly resources: Listed<string> | undefined;
  readonly conditions: readonly Condition[];
}

export type Effect = 'Allow' | 'Deny';

/** The values of an element or of its Not form, e.g. of Action or NotAction. */
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
