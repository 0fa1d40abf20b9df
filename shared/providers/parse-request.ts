/** Parses the body of `PUT /connections/{connection}`: a request, or everything that is wrong with it. */

import * as v from 'valibot';
import { clientSecretNames } from '../domain/client-secrets.ts';
import type { Fault } from '../domain/fault.ts';
import { limits } from '../domain/limits.ts';
import { Secret } from '../domain/secret.ts';
import type { ConnectionDraft, ConnectionRequest, ParsedRequest } from '../ports/connection-requests.ts';
import type { Presets } from './by-name.ts';
import { clientSecretEnds, secretEndsOf, unpairedEnds } from './client-secret-end.ts';
import { contradictionsIn, longestMarginSeconds } from './contradictions.ts';
import { credentialFaults, isObject, member, neededSecrets } from './credentials.ts';
import type { EndpointPolicy } from './endpoint-url.ts';
import { type Facts, factsSchema } from './facts.ts';
import type { Preset } from './preset.ts';
import { knownPresets } from './presets/index.ts';
import { replacements } from './resolve.ts';
import type { Setting } from './setting.ts';
import { settingsFaults, unknownFields } from './settings.ts';
import { presetNamed } from './values.ts';

export interface ParseOptions extends EndpointPolicy {
  readonly presets?: Presets;
}

/** Visible ASCII with spaces inside only (RFC 6749 §A): a line break or a space at an end came with copying. */
const credential = (most: number) =>
  v.pipe(
    v.string('must be a text'),
    v.minLength(1, 'must not be empty'),
    v.maxLength(most, `must have at most ${most} characters`),
    v.regex(/^(?! )[\x20-\x7e]*(?<! )$/, 'must be printable ASCII without line breaks, and without spaces at its ends'),
  );

/** Several checks that are one demand: the first that fails says it all. */
const oneDemand = <const Schema extends v.GenericSchema>(schema: Schema) => v.config(schema, { abortPipeEarly: true });

const { marginSeconds, accountCharacters } = limits;
const marginWords = `must be a whole number of seconds from ${marginSeconds.least} to ${marginSeconds.most}`;
const margin = oneDemand(
  v.pipe(
    v.number(marginWords),
    v.integer(marginWords),
    v.minValue(marginSeconds.least, marginWords),
    v.maxValue(marginSeconds.most, marginWords),
  ),
);
const accountWords = `must be a text of 1 to ${accountCharacters} characters on one line, without spaces at its ends`;
const account = oneDemand(
  v.pipe(
    v.string(accountWords),
    v.maxLength(accountCharacters, accountWords),
    v.regex(/^(?!\s)[^\p{Cc}]+(?<!\s)$/u, accountWords),
  ),
);
const clientSecret = credential(limits.clientSecretCharacters);
const secretWords =
  'must be a text, or a list of at most two: the one to try first, and the one to try if it is refused';
export const clientEntries = {
  client_id: credential(limits.clientIdCharacters),
  client_secret: v.exactOptional(
    v.union(
      [clientSecret, v.pipe(v.array(clientSecret), v.minLength(1, secretWords), v.maxLength(2, secretWords))],
      secretWords,
    ),
  ),
  client_secret_expires_at: v.exactOptional(clientSecretEnds),
};
/** The members of the body. What `settings` may hold is a matter of the preset: `settings.ts`. */
export const bodyEntries = {
  provider: v.string('must be a text'),
  settings: v.exactOptional(v.custom<Record<string, unknown>>(isObject, 'must be an object'), {}),
  client: v.exactOptional(v.object(clientEntries, fieldMessage('must be an object'))),
  refresh_token: v.exactOptional(credential(limits.credentialCharacters)),
  renewal: v.exactOptional(v.picklist(['while_used', 'always'], 'must be "while_used" or "always"'), 'while_used'),
  margin_seconds: v.exactOptional(margin),
  account: v.exactOptional(account),
  callback: v.exactOptional(v.picklist(['connection', 'shared'], 'must be "connection" or "shared"'), 'connection'),
  allow_grant_conflict: v.exactOptional(v.boolean('must be true or false')),
  verify: v.exactOptional(v.boolean('must be true or false')),
};
const bodySchema = v.object(bodyEntries, fieldMessage('must be a JSON object'));
type Body = v.InferOutput<typeof bodySchema>;

/**
 * Returns the request, or every fault at once. No message contains a value: any of them might be a secret in the wrong
 * place.
 */
export function parseConnectionRequest(
  body: unknown,
  { presets = knownPresets, ...policy }: ParseOptions,
): ParsedRequest {
  const faults: Fault[] = [
    ...unknownFields(body, Object.keys(bodyEntries), ''),
    ...unknownFields(member(body, 'client'), Object.keys(clientEntries), 'client.'),
  ];
  const result = v.safeParse(bodySchema, body);
  for (const issue of result.issues ?? []) faults.push({ path: v.getDotPath(issue) ?? '', message: issue.message });

  const provider = member(body, 'provider');
  const preset = typeof provider === 'string' ? presetNamed(provider, presets) : undefined;
  if (preset === undefined) {
    if (typeof provider === 'string')
      faults.push({ path: 'provider', message: `is not known; known are ${Object.keys(presets).join(', ')}` });
    return { ok: false, faults };
  }
  const settings = member(body, 'settings') ?? {};
  faults.push(...settingsFaults(preset, settings, policy));

  // What is sound is looked at as a whole even if something else is not: every fault at once.
  const sound = Object.fromEntries(
    Object.entries(settings).filter(([name]) => !faults.some(({ path }) => path === `settings.${name}`)),
  );
  const facts = v.parse(factsSchema, { ...preset.facts, ...replacements(preset, sound) });
  faults.push(
    ...factFaults(preset, facts, sound, member(body, 'margin_seconds')),
    ...credentialFaults(preset, facts, body),
    ...unpairedEnds(member(body, 'client')),
  );
  if (member(body, 'allow_grant_conflict') === true && facts.exclusivePer === undefined)
    faults.push({
      path: 'allow_grant_conflict',
      message: `is not used by ${preset.name}, where one grant does not end another: remove it`,
    });
  if (result.success && faults.length === 0) return { ok: true, value: requestOf(result.output, preset, facts) };
  const draft = draftOf(body, sound, preset, facts, faults);
  return { ok: false, faults, ...(draft && { draft }) };
}

/**
 * Returns what is sound of a request. Which secrets it needs is not known where it is faulty how its client
 * authenticates, or which grant it wants.
 */
function draftOf(
  body: unknown,
  sound: Body['settings'],
  preset: Preset,
  facts: Facts,
  faults: readonly Fault[],
): ConnectionDraft | undefined {
  const open = faults.flatMap(({ path }) => /^settings\.(.+)$/.exec(path)?.[1] ?? []);
  if (open.some((name) => ['clientAuthentication', 'grant'].includes(replaces(preset.settings[name]) ?? '')))
    return undefined;
  const members = soundMembers(bodyEntries, { ...(isObject(body) && body), settings: sound });
  const client = soundMembers(clientEntries, member(body, 'client'));
  return { request: requestOf({ ...members, client } as Body, preset, facts), open };
}

/** Returns the members that are sound each for itself, with the defaults of those that are absent. */
const soundMembers = (entries: Readonly<Record<string, v.GenericSchema>>, given: unknown): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(entries).flatMap(([name, schema]) => {
      const value = member(given, name);
      const { success, output } = v.safeParse(
        v.object({ [name]: schema }),
        value === undefined ? {} : { [name]: value },
      );
      return success ? Object.entries(output) : [];
    }),
  );

function requestOf(body: Body, preset: Preset, facts: Facts): ConnectionRequest {
  const {
    provider,
    settings,
    client,
    refresh_token,
    renewal,
    margin_seconds,
    account,
    callback,
    allow_grant_conflict,
    verify,
  } = body;
  const issuer = Object.keys(settings).find((name) => preset.settings[name]?.kind === 'issuer');
  const isSecret = (name: string) => preset.settings[name]?.kind === 'secret';
  const secrets = {
    ...clientSecretsOf(client?.client_secret),
    ...only(settings, isSecret),
  };
  const credentials = Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => [name, new Secret(String(value))]),
  );
  return {
    config: {
      provider,
      settings: only(settings, (name) => !isSecret(name)),
      ...(client?.client_id !== undefined && { clientId: client.client_id }),
      renewal,
      ...(margin_seconds !== undefined && { marginSeconds: margin_seconds }),
      ...(account !== undefined && { account }),
      ...(callback === 'shared' && { callback }),
      ...(allow_grant_conflict === true && { allowGrantConflict: true }),
    },
    grant: facts.grant,
    ...(issuer !== undefined && { issuer: { path: `settings.${issuer}`, value: String(settings[issuer]) } }),
    needed: neededSecrets(preset, facts),
    ...(Object.keys(credentials).length > 0 && { credentials }),
    ...(client?.client_secret_expires_at !== undefined && {
      secretEnds: secretEndsOf(client.client_secret_expires_at),
    }),
    ...(refresh_token !== undefined && { refreshToken: new Secret(refresh_token) }),
    ...(verify === true && { verify }),
  };
}

function clientSecretsOf(given: string | readonly string[] | undefined): Record<string, string> {
  if (given === undefined) return {};
  const [first, second] = typeof given === 'string' ? [given] : given;
  return {
    ...(first !== undefined && { [clientSecretNames.first]: first }),
    ...(second !== undefined && second !== first && { [clientSecretNames.second]: second }),
  };
}

const only = <T>(record: Readonly<Record<string, T>>, keep: (name: string) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => keep(name)));

/** Contradictions among the facts that hold for this connection, each at the field that brought it in. */
function factFaults(preset: Preset, facts: Facts, settings: Body['settings'], asked: unknown): Fault[] {
  const fieldOf = (fact: keyof Facts): string => {
    if (fact === 'marginSeconds') return 'margin_seconds';
    const name = Object.keys(preset.settings).find(
      (key) => settings[key] !== undefined && replaces(preset.settings[key]) === fact,
    );
    return name === undefined ? 'settings' : `settings.${name}`;
  };
  const marginSeconds = v.is(margin, asked) ? asked : Math.min(facts.marginSeconds, longestMarginSeconds(facts));
  const unnamed = facts.assertionAudience === 'issuer' && !Object.keys(settings).some((name) => isIssuer(preset, name));
  return [
    ...contradictionsIn({ ...facts, marginSeconds }).map(({ fact, message }) => ({ path: fieldOf(fact), message })),
    ...(unnamed
      ? [{ path: fieldOf('assertionAudience'), message: 'is the issuer, and no issuer is given: give it' }]
      : []),
  ];
}

const isIssuer = ({ settings }: Preset, name: string): boolean => settings[name]?.kind === 'issuer';

const replaces = (setting: Setting | undefined): keyof Facts | undefined =>
  setting !== undefined && 'replaces' in setting ? setting.replaces : undefined;

/** For an object: a missing field is told by its name, anything that is no object by `otherwise`. */
function fieldMessage(otherwise: string) {
  return (issue: v.BaseIssue<unknown>): string => (issue.path === undefined ? otherwise : 'is missing');
}
