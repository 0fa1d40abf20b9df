/** The schemas of `openapi.json`, out of those that check requests and describe replies. */
import { type ConversionConfig, toJsonSchema, toJsonSchemaDefs } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { members } from '../lambdas/operations.ts';
import { rejectionBody, tokenParameters } from '../lambdas/parse.ts';
import { authorizationEntries } from '../lambdas/parse-authorization.ts';
import { replySchemas } from '../lambdas/replies.ts';
import { shownStates } from '../shared/domain/connection.ts';
import { connectionNamePattern } from '../shared/domain/connection-name.ts';
import { limits } from '../shared/domain/limits.ts';
import { bodyEntries, clientEntries } from '../shared/providers/parse-request.ts';
import type { Preset } from '../shared/providers/preset.ts';
import { knownPresets } from '../shared/providers/presets/index.ts';
import type { Setting } from '../shared/providers/setting.ts';
import { printableText, settingsFaults } from '../shared/providers/settings.ts';

export type Json = Readonly<Record<string, unknown>>;

export const refTo = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const conversion: ConversionConfig = {
  target: 'draft-2020-12',
  // A function says nothing to a schema: what it refuses is left to the broker.
  ignoreActions: ['check'],
  overrideRef: ({ referenceId }) => refTo(referenceId).$ref,
  // Patterns of JSON Schema are in Unicode mode as they are.
  overrideAction: ({ valibotAction, jsonSchema }) =>
    valibotAction.type === 'regex' && 'requirement' in valibotAction
      ? { ...jsonSchema, pattern: (valibotAction.requirement as RegExp).source }
      : undefined,
};

/** The schema of a body, with what each member is in words. A body refuses members that it does not know. */
function bodyOf(entries: v.ObjectEntries, words: Readonly<Record<string, string>>): Json {
  const { $schema: _, properties = {}, required = [], ...rest } = toJsonSchema(v.object(entries), conversion);
  const described = Object.entries(properties).map(([name, schema]) => [
    name,
    { ...Object(schema), description: words[name] },
  ]);
  return {
    ...rest,
    properties: Object.fromEntries(described),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

const pascal = (name: string): string => name.replaceAll(/(?:^|[-_])(.)/g, (_, letter: string) => letter.toUpperCase());

/** See `faultOfSetting`: what depends on where the broker runs, or on other settings, is left to it. */
function settingSchemaOf(setting: Setting): Json {
  const common = {
    description: setting.description,
    ...('default' in setting && setting.default !== undefined && { default: setting.default }),
  };
  switch (setting.kind) {
    case 'text': {
      const pattern = setting.pattern === undefined ? printableText.source : `^(?:${setting.pattern})$`;
      return { type: 'string', maxLength: limits.settingCharacters, pattern, ...common };
    }
    case 'url':
    case 'issuer':
      return { type: 'string', format: 'uri', ...common };
    case 'choice':
      return { type: 'string', enum: setting.choices, ...common };
    case 'duration':
      return { type: 'integer', minimum: setting.least, maximum: setting.most, ...common };
    case 'secret':
      return { type: 'string', minLength: 1, writeOnly: true, ...common };
  }
}

/**
 * What a request must give whatever else it gives: what is missing beside every endpoint that can be given. A secret
 * may be stored already.
 */
function requiredSettings(preset: Preset): string[] {
  const endpoints = Object.entries(preset.settings).filter(([, { kind }]) => kind === 'url' || kind === 'issuer');
  const given = Object.fromEntries(endpoints.map(([name]) => [name, 'https://provider.example']));
  return settingsFaults(preset, given, { allowLoopback: false }).map(({ path }) => path.replace('settings.', ''));
}

const shared = Object.keys(bodyEntries).filter((name) => name !== 'provider' && name !== 'settings');
const nameOfMember = (name: string): string => `Put${pascal(name)}`;
const nameOfBody = ({ name }: Preset): string => `Put${pascal(name)}Connection`;

/** The body of `PUT /connections/{connection}` for one provider. */
function connectionBodyOf(preset: Preset): Json {
  const required = requiredSettings(preset);
  const settings = Object.entries(preset.settings).map(([name, setting]) => [name, settingSchemaOf(setting)]);
  return {
    type: 'object',
    title: preset.title,
    properties: {
      provider: { const: preset.name },
      settings: {
        type: 'object',
        properties: Object.fromEntries(settings),
        ...(required.length > 0 && { required }),
        additionalProperties: false,
      },
      ...Object.fromEntries(shared.map((name) => [name, refTo(nameOfMember(name))])),
    },
    required: ['provider', ...(required.length > 0 ? ['settings'] : [])],
    additionalProperties: false,
  };
}

const presets = Object.values(knownPresets);

function connectionBodies(): Json {
  const { client, settings: _, provider: __, ...simple } = bodyEntries;
  const described = Object.entries(bodyOf(simple, members.connection).properties as Json);
  return {
    PutConnection: {
      oneOf: presets.map((preset) => refTo(nameOfBody(preset))),
      discriminator: {
        propertyName: 'provider',
        mapping: Object.fromEntries(presets.map((preset) => [preset.name, refTo(nameOfBody(preset)).$ref])),
      },
    },
    ...Object.fromEntries(presets.map((preset) => [nameOfBody(preset), connectionBodyOf(preset)])),
    [nameOfMember('client')]: {
      ...bodyOf(clientEntries, members.client),
      description: members.connection.client,
    },
    ...Object.fromEntries(described.map(([name, schema]) => [nameOfMember(name), schema])),
  };
}

/** API Gateway's own answer, to what it does not let through or gets no answer for. */
const gatewayMessage = {
  type: 'object',
  properties: { message: { type: 'string' } },
  required: ['message'],
  description: "API Gateway's own answer: it has no code, and no Retry-After.",
};

/** `components.schemas`. */
export const schemas = (): Json => ({
  ...toJsonSchemaDefs(replySchemas, conversion),
  GatewayMessage: gatewayMessage,
  Rejection: bodyOf(rejectionBody.entries, members.rejection),
  Authorization: bodyOf(authorizationEntries, members.authorization),
  ...connectionBodies(),
});

const nameSchema = { type: 'string', pattern: connectionNamePattern.source };

/** The schemas of parameters. */
export const parameterSchemas: Readonly<Record<string, Json>> = {
  connection: nameSchema,
  limit: { type: 'integer', minimum: 1, maximum: limits.listPage, default: limits.listPage },
  after: nameSchema,
  state: { type: 'array', items: { type: 'string', enum: shownStates } },
  provider: { type: 'array', items: { type: 'string', enum: Object.keys(knownPresets) } },
  link: { type: 'string' },
  ...Object.fromEntries(
    Object.entries<{ readonly leastMs: number; readonly mostMs: number; readonly defaultMs?: number }>(
      tokenParameters,
    ).map(([name, { leastMs, mostMs, defaultMs }]) => [
      name,
      {
        type: 'integer',
        minimum: leastMs / 1_000,
        maximum: mostMs / 1_000,
        ...(defaultMs !== undefined && { default: defaultMs / 1_000 }),
      },
    ]),
  ),
};
