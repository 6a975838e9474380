import { parseDateMs } from './conditions/compare-dates.ts';
import { refuse } from './malformed-policy-error.ts';
import { checkAction, checkTrustActions } from './parsing/check-actions.ts';
import { checkPrincipals } from './parsing/check-principals.ts';
import { checkLegacyArn, resourceProblem } from './parsing/check-resources.ts';
import { readDocument, type StatementDraft } from './parsing/read-document.ts';
import type { Effect, Policy, PolicyKind, Statement } from './policy.ts';

/**
 * Reads a policy document, and refuses what IAM refuses, with IAM's message. If several things are wrong, IAM reports
 * the first in this order: shape, version, the rules of its older parser, Sids, actions, resources, and the rules for
 * the kind of policy.
 *
 * Throws a MalformedPolicyDocumentError. The caller checks the size (policy-size.ts), because its limit depends on what
 * the policy is attached to.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function parsePolicy(text: string, kind: PolicyKind): Policy {
  const { version = '2008-10-17', statements } = readDocument(text);
  if (kind === 'identity' && version !== '2012-10-17') {
    refuse('Policy document must be version 2012-10-17 or greater.');
  }
  for (const statement of statements) checkLegacyForm(statement);
  const problem = findResourceProblem(statements);
  checkSids(statements, kind);
  if (statements.some(({ actions }) => actions === undefined || actions.values.length === 0)) {
    refuse('Policy statement must contain actions.');
  }
  if (problem !== undefined) refuse(problem);
  for (const { actions } of statements) actions?.values.forEach(checkAction);
  for (const statement of statements) checkKind(statement, kind);
  return { kind, version, statements: statements.map(toStatement) };
}

function checkLegacyForm({ effect, conditions }: StatementDraft): void {
  const datesAreValid = conditions
    .filter(({ operator }) => operator.name.startsWith('Date'))
    .every(({ values }) => values.every((value) => parseDateMs(value) !== undefined));
  if (!isEffect(effect) || !datesAreValid) refuse('The policy failed legacy parsing');
}

/** The first problem of an ARN. What IAM's older parser refuses is thrown at once. */
function findResourceProblem(statements: readonly StatementDraft[]): string | undefined {
  for (const { resources } of statements) {
    for (const resource of resources?.values ?? []) {
      const problem = resourceProblem(resource);
      if (problem !== undefined) return problem;
      checkLegacyArn(resource);
    }
  }
  return undefined;
}

function checkSids(statements: readonly StatementDraft[], kind: PolicyKind): void {
  const sids = statements.map(({ sid = '' }) => sid).filter((sid) => sid !== '');
  if (kind !== 'resource' && sids.some((sid) => !/^[0-9A-Za-z]*$/.test(sid))) {
    refuse(
      'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
    );
  }
  if (new Set(sids).size < sids.length) refuse('Statement IDs (SID) in a single policy must be unique.');
}

function checkKind({ principals, actions, resources }: StatementDraft, kind: PolicyKind): void {
  if (kind === 'identity') {
    if (principals !== undefined) refuse('Policy document should not specify a principal.');
  } else if (kind === 'trust') {
    if (actions !== undefined) checkTrustActions(actions);
    if (resources !== undefined) refuse('Has prohibited field Resource');
    if (principals?.negated === true) refuse('Has prohibited field NotPrincipal');
  }
  if (kind !== 'identity' && principals === undefined) refuse('Missing required field Principal');
  if (kind !== 'trust' && (resources === undefined || resources.values.length === 0)) {
    refuse('Policy statement must contain resources.');
  }
}

function toStatement({ sid, effect, principals, actions, resources, conditions }: StatementDraft): Statement {
  if (!isEffect(effect) || actions === undefined) refuse('The policy failed legacy parsing');
  return {
    sid: sid === '' ? undefined : sid,
    effect,
    principals: principals && { negated: principals.negated, values: checkPrincipals(principals) },
    actions,
    resources,
    conditions,
  };
}

function isEffect(effect: string): effect is Effect {
  return effect === 'Allow' || effect === 'Deny';
}
