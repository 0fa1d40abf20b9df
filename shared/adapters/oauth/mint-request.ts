/** The token request of a provider that has its own, from the template in its preset. */
import { TOTP } from 'otpauth';
import type { Credentials } from '../../ports/credentials.ts';
import type { Preset } from '../../providers/preset.ts';
import type { ResolvedProvider } from '../../providers/resolve.ts';
import { seedOf } from '../../providers/secret-formats.ts';
import { filled, filledRecord, filledTree, type Template, type Values } from '../../providers/templates.ts';
import { xmlOf } from '../../providers/xml.ts';
import type { Surroundings } from './client-authentication.ts';
import type { HttpRequest } from './http-exchange.ts';
import type { Unsent } from './provider-call.ts';

type RequestTemplate = NonNullable<Preset['request']>;

/** Returns the request, or what is missing for it. Its Basic credentials are UTF-8 (RFC 7617 §2.1). */
export function mintRequest(
  provider: ResolvedProvider,
  credentials: Credentials,
  surroundings: Surroundings,
): HttpRequest | Unsent {
  const { preset, tokenEndpoint } = provider;
  const template = preset.request;
  if (template === undefined || tokenEndpoint === undefined) return missing('request');
  const absent = Object.entries(preset.settings).find(
    ([name, setting]) => setting.kind === 'secret' && setting.required && credentials[name] === undefined,
  );
  if (absent !== undefined) return missing(absent[0]);

  const values = { ...provider.values, ...valuesOf(template, credentials, surroundings) };
  const basic = template.basic === undefined ? undefined : filled(template.basic, values);
  if (template.basic !== undefined && basic === undefined) return missing('settings');
  const { type, text } = bodyOf(template, values);
  return {
    url: tokenEndpoint,
    headers: {
      ...filledRecord(template.headers, values),
      ...(basic !== undefined && { authorization: `Basic ${Buffer.from(basic, 'utf8').toString('base64')}` }),
      'content-type': type,
      accept: type,
    },
    body: text,
  };
}

const missing = (what: string): Unsent => ({ kind: 'not_sent', code: `${what}_missing` });

function valuesOf(
  { oneTimePassword }: RequestTemplate,
  credentials: Credentials,
  { clock, chance }: Surroundings,
): Values {
  const seed = oneTimePassword === undefined ? undefined : credentials[oneTimePassword];
  const secret = seed && seedOf(seed.reveal());
  const otp = secret === undefined ? '' : new TOTP({ secret }).generate({ timestamp: clock.now() });
  return {
    ...Object.fromEntries(Object.entries(credentials).map(([name, value]) => [name, value.reveal()])),
    otp,
    unique_id: chance.id(),
  };
}

function bodyOf({ body }: RequestTemplate, values: Values): { readonly type: string; readonly text: string } {
  if ('json' in body)
    return { type: 'application/json', text: JSON.stringify(filledTree(body.json as Template, values)) };
  return { type: 'application/xml', text: xmlOf(filledTree(body.xml as Template, values)) };
}
