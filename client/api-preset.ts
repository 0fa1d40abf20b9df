/**
 * What the replies of a provider's API mean, as data: one file in `api/`, beside the preset and not in it, since only
 * clients have use for it and no function is to carry it.
 */
import * as v from 'valibot';
import { memberPath, positive, words } from '../shared/providers/facts.ts';
import { conditionEntries, headerName, someCondition } from '../shared/providers/preset.ts';
import type { ApiPreset, ApiRule } from './api-rules.ts';

const range = v.pipe(
  v.strictObject({ from: positive, to: positive }),
  v.check(({ from, to }) => from < to, 'must have a "from" that is less than its "to": for one delay, give the number'),
);

/** See `ApiRule` in `domain/api-replies.ts`. */
export const apiRuleEntries = {
  when: v.pipe(
    v.strictObject({
      ...conditionEntries,
      safe: v.exactOptional(v.boolean()),
      unanswered: v.exactOptional(v.literal(true)),
      failures: v.exactOptional(positive),
    }),
    someCondition(),
  ),
  comment: words,
  source: words,
};
export const retryEntries = {
  do: v.literal('retry'),
  delaySeconds: v.union(
    [positive, range],
    'must be a whole number of seconds, or { from, to } with "from" less than "to"',
  ),
  growth: v.picklist(['exponential', 'constant']),
  mayHaveActed: v.exactOptional(v.literal(true)),
};
const apiRuleSchema = v.variant('do', [
  v.strictObject({ ...apiRuleEntries, do: v.picklist(['proceed', 'report_token', 'reauthorize', 'correct_request']) }),
  v.strictObject({ ...apiRuleEntries, ...retryEntries }),
]);

export const apiPresetEntries = {
  /** The presets whose API this is. */
  providers: v.pipe(v.array(words), v.nonEmpty()),
  format: v.picklist(['json', 'xml']),
  errors: v.exactOptional(v.array(memberPath)),
  descriptions: v.exactOptional(v.array(memberPath)),
  resetHeaders: v.exactOptional(v.array(headerName)),
  rules: v.pipe(v.array(apiRuleSchema), v.nonEmpty()),
};

const apiPresetSchema = v.pipe(
  v.strictObject(apiPresetEntries),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { rules } = dataset.value;
    const issue = (index: number, message: string) =>
      addIssue({
        message,
        path: [
          { type: 'object', origin: 'value', input: dataset.value, key: 'rules', value: rules },
          { type: 'array', origin: 'value', input: rules, key: index, value: rules[index] },
        ],
      });
    rules.forEach((rule, index) => {
      const before = rules.slice(0, index).findIndex((earlier) => covers(earlier.when, rule.when));
      if (before >= 0) issue(index, `is never reached: rule ${before} holds whenever it does`);
      const aboutReplies = Object.keys(conditionEntries).filter((name) => name in rule.when);
      if (rule.when.unanswered && aboutReplies.length > 0)
        issue(index, `is about no reply, and so cannot look at its ${aboutReplies.join(', ')}`);
      if ('mayHaveActed' in rule && rule.when.safe === true)
        issue(index, 'says mayHaveActed of requests that only read: remove it');
    });
  }),
);

type When = ApiRule['when'];

/**
 * Whether the first holds of every reply that the second holds of: it has no condition that the second does not have as
 * well.
 */
function covers(first: When, second: When): boolean {
  if (first.unanswered !== second.unanswered) return false;
  return (Object.keys(first) as (keyof When)[]).every((name) => {
    const [mine, other]: readonly unknown[] = [first[name], second[name]];
    if (name === 'failures') return other !== undefined && Number(mine) <= Number(other);
    if (Array.isArray(mine) && Array.isArray(other))
      return other.every((one) => mine.includes(one) || mine.includes(classOf(one)));
    return JSON.stringify(mine) === JSON.stringify(other);
  });
}

const classOf = (status: unknown): string => (typeof status === 'number' ? `${Math.floor(status / 100)}xx` : '');

/** Returns the rules, or throws one error that lists everything that is wrong with them. */
export function parseApiPreset(input: unknown): ApiPreset {
  const result = v.safeParse(apiPresetSchema, input);
  if (result.success) return result.output;
  const faults = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'preset'}: ${issue.message}`);
  throw new Error(`these API rules cannot be used:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
}
