/**
 * What is wrong with a preset as a whole: templates that name what is not there, settings that mean nothing, a grant
 * that lacks its part.
 */
import { movedStatuses } from '../domain/common-error-rules.ts';
import { isOneOf } from '../domain/conditions.ts';
import { factsSchema } from './facts.ts';
import type { Preset } from './preset.ts';
import type { Setting } from './setting.ts';
import { namesIn, type Template } from './templates.ts';

interface PresetFault {
  readonly path: readonly string[];
  readonly message: string;
}

const fault = (path: readonly string[], message: string): PresetFault => ({ path, message });

export const presetFaults = (preset: Preset): PresetFault[] => [
  ...ofEndpoints(preset),
  ...ofTemplates(preset),
  ...ofGrant(preset),
  ...ofErrorRules(preset),
  ...Object.entries(preset.settings).flatMap(([name, setting]) =>
    ofSetting(name, setting).map((message) => fault(['settings', name], message)),
  ),
];

const ofAGrant = [
  'authorizationEndpoint',
  'revocationEndpoint',
  'revocationEnds',
  'exclusivePer',
  'refreshTokenIdleSeconds',
  'refreshTokenLifetimeSeconds',
  'keepAliveSeconds',
] as const;
const endpoints = ['tokenEndpoint', 'authorizationEndpoint', 'revocationEndpoint'] as const;
/** What would lead out of the place in a URL that a template gives a text. */
const escapes = ['/', ':', '@', '?', '#', '%', '\\', ' ', '..'].flatMap((text) => [text, `a${text}b`]);

function ofEndpoints({ facts, settings }: Preset): PresetFault[] {
  const faults = endpoints.flatMap((endpoint) =>
    namesIn(facts[endpoint]).flatMap((name): PresetFault[] => {
      const setting = settings[name];
      if (setting?.kind === 'choice') return [];
      const bounded =
        setting?.kind === 'text' &&
        setting.pattern !== undefined &&
        !escapes.some((text) => fits(setting.pattern, text));
      if (!bounded) {
        const wanted = 'of the kind "choice", or "text" with a pattern that refuses / : @ ? # % \\ and spaces';
        return [
          fault(
            ['settings', name],
            `facts.${endpoint} names {${name}}: free text could name any host. Add a setting of this name ${wanted}`,
          ),
        ];
      }
      const atTheEnd = facts[endpoint]?.split('/')[2]?.endsWith(`{${name}}`) === true;
      return atTheEnd
        ? [
            fault(
              ['settings', name],
              `ends the host of facts.${endpoint}, and so could name any host: let it be a "choice"`,
            ),
          ]
        : [];
    }),
  );
  const givesEndpoint = Object.values(settings).some(
    (setting) => setting.kind === 'url' && setting.replaces === 'tokenEndpoint' && setting.required,
  );
  if (facts.grant !== 'static' && facts.tokenEndpoint === undefined && !givesEndpoint) {
    faults.push(
      fault(
        ['settings', 'token_endpoint'],
        'is missing: give facts.tokenEndpoint, or a required setting that replaces it',
      ),
    );
  }
  return faults;
}

/** Whether a pattern takes the whole text. */
const fits = (pattern: string | undefined, text: string): boolean =>
  pattern !== undefined && new RegExp(`^(?:${pattern})$`).test(text);

function ofTemplates({ facts, settings, request, headers }: Preset): PresetFault[] {
  const secret = (name: string) => settings[name]?.kind === 'secret';
  const plain = Object.keys(settings).filter((name) => !secret(name));
  const all = Object.keys(settings);
  const places: readonly (readonly [
    path: readonly string[],
    template: Template | undefined,
    known: readonly string[],
  ])[] = [
    [['facts', 'tokenParameters'], facts.tokenParameters, plain],
    [['facts', 'refreshParameters'], facts.refreshParameters, plain],
    [['facts', 'tokenHeaders'], facts.tokenHeaders, plain],
    [['facts', 'authorizationParameters'], facts.authorizationParameters, plain],
    [['facts', 'assertionClaims'], facts.assertionClaims, plain],
    [['facts', 'assertionHeaders'], facts.assertionHeaders, plain],
    [['request', 'headers'], request?.headers, all],
    [['request', 'basic'], request?.basic, [...all, 'otp']],
    [['request', 'body'], request?.body as Template | undefined, [...all, 'otp', 'unique_id']],
    [['headers'], headers, [...all, 'access_token', 'token_type']],
  ];
  const unknown = places.flatMap(([path, template, known]) =>
    namesIn(template)
      .filter((name) => !known.includes(name))
      .map((name) => fault(path, `names {${name}}, which has no value here; known are ${known.join(', ') || 'none'}`)),
  );
  const seed = settings[request?.oneTimePassword ?? ''];
  const isSeed = seed?.kind === 'secret' && seed.format === 'totp_seed';
  if (request?.oneTimePassword === undefined || isSeed) return unknown;
  return [
    ...unknown,
    fault(['request', 'oneTimePassword'], 'must name a setting of the kind "secret" and the format "totp_seed"'),
  ];
}

function ofGrant({ facts, settings, request, accessToken }: Preset): PresetFault[] {
  const choices = Object.values(settings).flatMap((setting) =>
    setting.kind === 'choice' && setting.replaces === 'clientAuthentication' ? setting.choices : [],
  );
  const signs = [facts.clientAuthentication, ...choices].includes('private_key_jwt');
  const key = settings.private_key;
  const found: (PresetFault | false)[] = [
    facts.grant === 'mint' &&
      request === undefined &&
      fault(['request'], 'is missing: the grant mint has a request of its own'),
    facts.grant !== 'mint' &&
      request !== undefined &&
      fault(['request'], `is only for the grant mint, and the grant is ${facts.grant}`),
    facts.grant === 'static' &&
      settings[accessToken ?? '']?.kind !== 'secret' &&
      fault(['accessToken'], 'must name a setting of the kind "secret"'),
    facts.grant !== 'static' &&
      accessToken !== undefined &&
      fault(['accessToken'], `is only for the grant static, and the grant is ${facts.grant}`),
    signs &&
      (key?.kind !== 'secret' || key.format !== 'private_key') &&
      fault(
        ['settings', 'private_key'],
        'is missing: private_key_jwt needs a setting of the kind "secret" and the format "private_key"',
      ),
  ];
  const needless = facts.grant === 'refresh_token' ? [] : ofAGrant.filter((fact) => facts[fact] !== undefined);
  const message = `is only for the grant refresh_token, and the grant is ${facts.grant}: remove it`;
  return [...found.filter((one) => one !== false), ...needless.map((fact) => fault(['facts', fact], message))];
}

/** A rule that looks at nothing but the status would take what says that the endpoint has moved for something else. */
const ofErrorRules = ({ errorRules }: Preset): PresetFault[] =>
  errorRules.flatMap(({ when }, i) => {
    const hidden = Object.keys(when).some((name) => name !== 'status')
      ? []
      : movedStatuses.filter((status) => isOneOf(when.status ?? [], status));
    return hidden.length === 0
      ? []
      : [
          fault(
            ['errorRules', String(i), 'when', 'status'],
            `hides an endpoint that has moved (${hidden.join(', ')}): name the statuses that are meant`,
          ),
        ];
  });

function ofSetting(name: string, setting: Setting): string[] {
  switch (setting.kind) {
    case 'choice': {
      const { replaces, choices } = setting;
      const unknown = Object.keys(setting.standsFor ?? {}).filter((choice) => !choices.includes(choice));
      const known = replaces === undefined ? choices : optionsOf(replaces);
      const illegal = choices.filter((choice) => !known.includes(choice));
      return [
        ...(illegal.length > 0 ? [`choices that ${replaces} cannot have: ${illegal.join(', ')}; remove them`] : []),
        ...(unknown.length > 0 ? [`tells what ${unknown.join(', ')} stands for, which is none of its choices`] : []),
        ...(setting.default !== undefined && !choices.includes(setting.default)
          ? ['has a default that is none of its choices']
          : []),
      ];
    }
    case 'duration': {
      const { least, most, default: usual = least } = setting;
      return [
        ...(name.endsWith('_seconds') ? [] : ['is a duration: let its name end in _seconds']),
        ...(least <= usual && usual <= most ? [] : ['has a default that is not between least and most']),
      ];
    }
    case 'text':
      return setting.pattern !== undefined && setting.default !== undefined && !fits(setting.pattern, setting.default)
        ? ['has a default that its pattern refuses']
        : [];
    case 'url':
    case 'issuer':
    case 'secret':
      return [];
  }
}

function optionsOf(fact: NonNullable<Extract<Setting, { kind: 'choice' }>['replaces']>): readonly string[] {
  const entry = factsSchema.entries[fact];
  return 'wrapped' in entry ? entry.wrapped.options : entry.options;
}
