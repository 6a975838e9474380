import type { ConditionContext } from './condition-context.ts';
import { type Glob, toGlobUnit } from './glob.ts';
import type { PolicyVersion } from './policy-version.ts';
import { ARN_PARTS } from './split-arn.ts';

/**
 * Replaces `${aws:username}`, `${aws:username, 'default'}` and the escapes `${*}`, `${?}`, `${$}` by the values of the
 * request. In a replaced value, a wildcard is an ordinary character.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export interface PolicyVariables {
  /** The template as a text without wildcards; undefined when it has a variable that the request has no value for. */
  text(template: string): string | undefined;
  /** The template as a pattern; undefined in the same case. */
  glob(template: string): Glob | undefined;
  /** Splits an ARN into up to six parts, at colons outside of variables. */
  splitArn(template: string): string[];
}

/** Version 2008-10-17 has no variables: there, `${aws:username}` is plain text. */
export function policyVariables(version: PolicyVersion, context: ConditionContext): PolicyVariables {
  const variableAt = version === '2012-10-17' ? readVariable : () => undefined;

  function expand(template: string, wildcards: boolean): number[] | undefined {
    const glob: number[] = [];
    for (let at = 0; at < template.length;) {
      const variable = variableAt(template, at);
      if (variable === undefined) {
        const unit = template.charCodeAt(at);
        glob.push(wildcards ? toGlobUnit(unit) : unit);
        at += 1;
        continue;
      }
      const value = variable.escaped ?? context.single(variable.key) ?? variable.fallback;
      if (value === undefined) return undefined;
      for (let index = 0; index < value.length; index += 1) glob.push(value.charCodeAt(index));
      at = variable.end;
    }
    return glob;
  }

  return {
    text: (template) =>
      expand(template, false)
        ?.map((unit) => String.fromCharCode(unit))
        .join(''),
    glob: (template) => expand(template, true),
    splitArn(template) {
      const parts: string[] = [];
      let start = 0;
      for (let at = 0; at < template.length && parts.length < ARN_PARTS - 1;) {
        if (template[at] === ':') {
          parts.push(template.slice(start, at));
          start = at + 1;
        }
        at = variableAt(template, at)?.end ?? at + 1;
      }
      parts.push(template.slice(start));
      return parts;
    },
  };
}

interface Variable {
  readonly key: string;
  /** The character that an escape such as `${*}` stands for. */
  readonly escaped?: string | undefined;
  readonly fallback?: string | undefined;
  /** Where the text after it begins. */
  readonly end: number;
}

const ESCAPE = /\$\{([*?$])\}/y;
const VARIABLE = /\$\{([^${},']*)(?:,\s*'([^']*)'\s*)?\}/y;

/** The variable at this offset; undefined when the text only resembles a variable. */
function readVariable(template: string, at: number): Variable | undefined {
  if (!template.startsWith('${', at)) return undefined;
  ESCAPE.lastIndex = at;
  const escaped = ESCAPE.exec(template)?.[1];
  if (escaped !== undefined) return { key: '', escaped, end: ESCAPE.lastIndex };
  VARIABLE.lastIndex = at;
  const found = VARIABLE.exec(template);
  if (found === null) return undefined;
  return { key: (found[1] ?? '').trim(), fallback: found[2], end: VARIABLE.lastIndex };
}
