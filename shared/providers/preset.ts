/**
 * What a provider is like, as data. A preset is one file in `presets/`: facts, the settings by which a connection
 * differs from them, and the meaning of the provider's errors. It holds no code, so a correction is a change of data.
 * To add a provider: write its file with the source of each fact beside it, run `npm run presets`, and add its row to
 * docs/providers.md.
 */
import * as v from 'valibot';
import { factsSchema, memberPath, positive, words } from './facts.ts';
import { settingSchema } from './setting.ts';
import type { Template } from './templates.ts';

const expression = v.pipe(
  words,
  v.check((text) => compiles(text), 'must be a regular expression'),
);
export const headerName = v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/, 'must be a header name in lower case'));
const headers = v.record(v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]+$/, 'must be a header name')), words);
const template: v.GenericSchema<Template> = v.lazy(() =>
  v.union([v.string(), v.number(), v.boolean(), v.array(template), v.record(v.string(), template)]),
);

/**
 * The token request of a provider that has its own (the grant `mint`). Its templates know the settings, the secrets,
 * `{otp}` (a one-time password) and `{unique_id}` (another for each request).
 */
export const requestSchema = v.strictObject({
  headers,
  /** `Authorization: Basic` with this text in it. */
  basic: v.exactOptional(words),
  /** The setting with the seed of `{otp}` (RFC 6238: SHA-1, 6 digits, 30 s). Without a seed, `{otp}` is empty. */
  oneTimePassword: v.exactOptional(words),
  /** JSON, or XML in which a member `@name` is an attribute. */
  body: v.union([v.strictObject({ json: template }), v.strictObject({ xml: v.record(v.string(), template) })]),
});

/** See `ReplyShape` in `domain/reply.ts`. */
export const replySchema = v.strictObject({
  format: v.picklist(['json', 'xml']),
  accessToken: v.exactOptional(memberPath),
  expiry: v.exactOptional(memberPath),
  endpoint: v.exactOptional(
    v.strictObject({
      path: memberPath,
      hosts: v.exactOptional(
        v.array(v.pipe(words, v.startsWith('.', 'must begin with a dot: "…evil" ends in "evil" too'))),
      ),
    }),
  ),
  errors: v.exactOptional(v.array(memberPath)),
  descriptions: v.exactOptional(v.array(memberPath)),
});

const grantCauses = ['invalid_grant', 'refresh_token_expired', 'refresh_token_reused'] as const;
const settingsCauses = ['invalid_client', 'invalid_request'] as const;

/** See `Conditions` in `domain/conditions.ts`. */
export const conditionEntries = {
  status: v.exactOptional(
    v.array(
      v.union([
        v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
        v.picklist(['2xx', '3xx', '4xx', '5xx']),
      ]),
    ),
  ),
  error: v.exactOptional(v.array(words)),
  description: v.exactOptional(expression),
  words: v.exactOptional(expression),
  unless: v.exactOptional(expression),
  header: v.exactOptional(v.strictObject({ name: headerName, matches: expression })),
  member: v.exactOptional(v.strictObject({ path: memberPath, matches: expression })),
  body: v.exactOptional(expression),
};
export const someCondition = <When extends object>() =>
  v.check<When, string>(
    (when) => Object.keys(when).length > 0,
    'must have a condition: without one no later rule is ever reached',
  );

/** See `ErrorRule` in `domain/error-rules.ts`. */
export const errorRuleSchema = v.pipe(
  v.strictObject({
    name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]*$/, 'must be in snake_case')),
    when: v.pipe(v.strictObject(conditionEntries), someCondition()),
    class: v.picklist(['too_early', 'transient', 'in_doubt', 'misconfigured', 'dead_grant']),
    cause: v.exactOptional(v.picklist([...grantCauses, ...settingsCauses])),
    retryAfterSeconds: v.exactOptional(positive),
    fix: v.exactOptional(words),
    comment: words,
    source: words,
  }),
  v.forward(
    v.check(
      (rule) => causesOf(rule.class).includes(rule.cause ?? ''),
      `must be one of ${grantCauses.join(', ')} for a dead_grant, one of ${settingsCauses.join(', ')} for ` +
        'misconfigured, and absent for every other class',
    ),
    ['cause'],
  ),
  v.forward(
    v.check(
      (rule) => rule.fix === undefined || rule.class === 'misconfigured',
      'is for misconfigured only: nothing else is mended by other settings',
    ),
    ['fix'],
  ),
);

export const presetEntries = {
  name: v.pipe(v.string(), v.regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'must be lower-case words joined by hyphens')),
  title: words,
  facts: factsSchema,
  settings: v.record(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]*$/, 'must be in snake_case')), settingSchema),
  request: v.exactOptional(requestSchema),
  reply: v.exactOptional(replySchema),
  /** With the grant `static`: the secret setting that is the access token. */
  accessToken: v.exactOptional(words),
  /**
   * What a client puts on its requests to the provider, over settings, `{access_token}` and `{token_type}`;
   * `Authorization` if absent. A header that names a setting without a value is left out.
   */
  headers: v.exactOptional(headers),
  /** First delay of the back-off, by failure code (`http_429`, `time_out`); the product's own if absent. */
  retryDelaysSeconds: v.exactOptional(v.objectWithRest({ default: positive }, positive)),
  /** Headers of a 429 that say when to come back, most telling first. */
  resetHeaders: v.exactOptional(v.array(headerName)),
  errorRules: v.array(errorRuleSchema),
};

export type Preset = v.InferOutput<v.StrictObjectSchema<typeof presetEntries, undefined>>;

/** Returns the causes that fit a class; `''` where a rule may give no cause. */
function causesOf(failureClass: string): readonly string[] {
  if (failureClass === 'dead_grant') return grantCauses;
  return failureClass === 'misconfigured' ? settingsCauses : [''];
}

function compiles(text: string): boolean {
  try {
    return new RegExp(text, 'i') instanceof RegExp;
  } catch {
    return false;
  }
}
