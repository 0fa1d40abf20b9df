/**
 * What a provider is like, as data. A preset is one file in `presets/`: facts, the settings by which a connection differs
 * from them, and what the provider's errors mean. It holds no code, so that a correction is a change of data.
 */
import * as v from 'valibot';
import { contradictionsIn } from './contradictions.ts';

const seconds = v.pipe(v.number(), v.integer(), v.minValue(0));
const someSeconds = v.pipe(v.number(), v.integer(), v.minValue(1));
const words = v.pipe(v.string(), v.nonEmpty());
const expression = v.pipe(
  words,
  v.check((text) => compiles(text), 'must be a regular expression'),
);
const headerName = v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/, 'must be a header name in lower case'));

/** The facts that the protocol acts upon. */
export const factsSchema = v.strictObject({
  /** Absent if only a setting gives it. `{name}` stands for the value of the choice setting of that name. */
  tokenEndpoint: v.exactOptional(words),
  /** How the client authenticates at the token endpoint (RFC 6749 §2.3.1; `none` is a public client). */
  clientAuthentication: v.picklist(['client_secret_basic', 'client_secret_post', 'none']),
  grant: v.picklist(['refresh_token', 'client_credentials']),
  /** Asked for with `client_credentials`; a refresh keeps the scope that was granted (RFC 6749 §6). */
  scope: v.exactOptional(words),
  /** Lifetime of an access token whose reply does not tell. */
  lifetimeSeconds: someSeconds,
  expiresInUnit: v.picklist(['seconds', 'milliseconds']),
  /** Earliest age, from its arrival, at which a token may be renewed; 0 if there is no such rule. */
  minTokenAgeSeconds: seconds,
  /** How long before its expiry a token is renewed. */
  marginSeconds: someSeconds,
  /** `single_use`: a used refresh token is dead at once. `grace`: after `graceSeconds`. `none`: it stays good. If unknown, `single_use`. */
  rotation: v.picklist(['single_use', 'grace', 'none']),
  graceSeconds: v.exactOptional(seconds),
  /** A refresh token is used at least this often, so that it does not lapse. */
  keepAliveSeconds: v.exactOptional(someSeconds),
});

export type Facts = v.InferOutput<typeof factsSchema>;

/** The fact whose value a setting replaces. A setting without one is only for `{placeholders}`. */
const replaces = <const Names extends readonly (keyof Facts)[]>(names: Names) => v.exactOptional(v.picklist(names));
const about = { description: words, required: v.exactOptional(v.literal(true)) };

const settingSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('text'), ...about, replaces: replaces(['scope']) }),
  v.strictObject({ kind: v.literal('url'), ...about, replaces: replaces(['tokenEndpoint']) }),
  v.strictObject({
    kind: v.literal('choice'),
    ...about,
    choices: v.pipe(v.array(words), v.nonEmpty()),
    replaces: replaces(['clientAuthentication', 'grant', 'expiresInUnit', 'rotation']),
  }),
  /** Whole seconds; its name ends in `_seconds`. */
  v.strictObject({
    kind: v.literal('duration'),
    ...about,
    least: seconds,
    most: seconds,
    replaces: replaces(['lifetimeSeconds', 'minTokenAgeSeconds', 'graceSeconds']),
  }),
]);

/** One of a preset's own settings, as a connection may give it in `settings`. */
export type Setting = v.InferOutput<typeof settingSchema>;

const grantCauses = ['invalid_grant', 'refresh_token_expired', 'refresh_token_reused'] as const;
const settingsCauses = ['invalid_client', 'invalid_request'] as const;

/** See `ErrorRule` in `domain/error-rules.ts`. */
const errorRuleSchema = v.pipe(
  v.strictObject({
    when: v.pipe(
      v.strictObject({
        status: v.exactOptional(
          v.array(v.union([v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)), v.picklist(['2xx', '3xx', '4xx', '5xx'])])),
        ),
        error: v.exactOptional(v.array(words)),
        description: v.exactOptional(expression),
        header: v.exactOptional(v.strictObject({ name: headerName, matches: expression })),
        body: v.exactOptional(expression),
      }),
      v.check((when) => Object.keys(when).length > 0, 'must have a condition: without one no later rule is ever reached'),
    ),
    class: v.picklist(['too_early', 'transient', 'in_doubt', 'misconfigured', 'dead_grant']),
    cause: v.exactOptional(v.picklist([...grantCauses, ...settingsCauses])),
    retryAfterSeconds: v.exactOptional(someSeconds),
    comment: words,
    source: words,
  }),
  v.forward(
    v.check(
      (rule) => causesOf(rule.class).includes(rule.cause ?? ''),
      `must be one of ${grantCauses.join(', ')} for a dead_grant, one of
      ${settingsCauses.join(', ')} for misconfigured, and absent for every other class`,
    ),
    ['cause'],
  ),
);

export const presetSchema = v.pipe(
  v.strictObject({
    name: v.pipe(v.string(), v.regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'must be lower-case words joined by hyphens')),
    title: words,
    facts: factsSchema,
    settings: v.record(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]*$/, 'must be in snake_case')), settingSchema),
    /** First delay of the back-off, by failure code (`http_429`, `time_out`). */
    retryDelaysSeconds: v.objectWithRest({ default: someSeconds }, someSeconds),
    /** Headers of a 429 that say when to come back, most telling first. */
    resetHeaders: v.array(headerName),
    errorRules: v.array(errorRuleSchema),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { facts, settings } = dataset.value;
    for (const { fact, message } of contradictionsIn(facts)) addIssue({ message, path: [member(dataset.value, 'facts'), member(facts, fact)] });
    for (const { name, message } of settingFaults(facts, settings)) addIssue({ message, path: [member(dataset.value, 'settings'), member(settings, name)] });
  }),
);

export type Preset = v.InferOutput<typeof presetSchema>;

/** Returns the preset, or throws one error that lists everything that is wrong with it. */
export function parsePreset(input: unknown): Preset {
  const result = v.safeParse(presetSchema, input);
  if (result.success) return result.output;
  const faults = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'preset'}: ${issue.message}`);
  throw new Error(`this preset cannot be used:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
}

/** Names in braces in a template. */
export const placeholdersIn = (template: string): string[] => [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);

function settingFaults(facts: Facts, settings: Preset['settings']): { readonly name: string; readonly message: string }[] {
  const faults = [];
  for (const name of placeholdersIn(facts.tokenEndpoint ?? '')) {
    // Free text could name any host.
    if (settings[name]?.kind !== 'choice')
      faults.push({ name, message: `facts.tokenEndpoint names {${name}}: add a setting of this name and of the kind "choice"` });
  }
  for (const [name, setting] of Object.entries(settings)) {
    const illegal =
      setting.kind === 'choice' && setting.replaces !== undefined ? unknownChoices(setting.choices, factsSchema.entries[setting.replaces].options) : [];
    if (illegal.length > 0) faults.push({ name, message: `choices that ${setting.replaces} cannot have: ${illegal.join(', ')}; remove them` });
    if (setting.kind === 'duration' && !name.endsWith('_seconds')) faults.push({ name, message: 'is a duration: let its name end in _seconds' });
  }
  const givesEndpoint = Object.values(settings).some((setting) => setting.replaces === 'tokenEndpoint' && setting.required);
  if (facts.tokenEndpoint === undefined && !givesEndpoint) {
    faults.push({ name: 'token_endpoint', message: 'is missing: give facts.tokenEndpoint, or a required setting that replaces it' });
  }
  return faults;
}

const unknownChoices = (choices: readonly string[], known: readonly string[]): string[] => choices.filter((choice) => !known.includes(choice));

/** The causes that fit a class; `''` stands for none. */
function causesOf(failureClass: string): readonly string[] {
  if (failureClass === 'dead_grant') return grantCauses;
  return failureClass === 'misconfigured' ? settingsCauses : [''];
}

function member(input: Record<string, unknown>, key: string): v.ObjectPathItem {
  return { type: 'object', origin: 'value', input, key, value: input[key] };
}

function compiles(text: string): boolean {
  try {
    return new RegExp(text, 'i') instanceof RegExp;
  } catch {
    return false;
  }
}
