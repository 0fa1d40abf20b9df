/**
 * Whether the policies of a role let a call through, as IAM decides it for one account: a denial wins, and what no
 * statement allows is refused. What the stacks do not use is refused here rather than guessed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */

/** A statement whose values are plain text, each a list. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** One call of an API, as IAM sees it. */
export interface Call {
  readonly action: string;
  readonly resource: string;
  /** Values of condition keys; a key that the request does not have is absent. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

/** Returns whether the call is let through. */
export const allows = (statements: readonly Statement[], call: Call): boolean =>
  statements.some((statement) => statement.effect === 'Allow' && covers(statement, call)) &&
  !statements.some((statement) => statement.effect === 'Deny' && covers(statement, call));

/** Returns whether a statement is about the call, whatever its effect. */
export const covers = ({ actions, resources, conditions }: Statement, { action, resource, context }: Call): boolean =>
  actions.some((pattern) => matches(pattern, action)) &&
  resources.some((pattern) => matches(pattern, resource)) &&
  Object.entries(conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => holds(operator, context[key], wanted)),
  );

function holds(operator: string, given: readonly string[] | undefined, wanted: readonly string[]): boolean {
  const some = (test: (pattern: string, value: string) => boolean) => (value: string) =>
    wanted.some((pattern) => test(pattern, value));
  const equal = (a: string, b: string): boolean => a === b;
  switch (operator) {
    case 'StringEquals':
      return given?.some(some(equal)) ?? false;
    case 'StringEqualsIfExists':
      return given?.some(some(equal)) ?? true;
    // Of no value at all it holds, which is why the statement has to be about keys that a request always has.
    case 'ForAllValues:StringLike':
      return (given ?? []).every(some(matches));
    default:
      throw new Error(`the condition operator ${operator} is unknown here`);
  }
}

const matches = (pattern: string, value: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\?]/g, '\\$&').replaceAll('*', '.*')}$`, 's').test(value);
