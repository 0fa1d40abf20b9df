/** Which secrets a connection needs, and what is wrong with those that a request brings. */
import { beside, type Fault } from '../domain/fault.ts';
import type { ConnectionRequest, ParsedRequest } from '../ports/connection-requests.ts';
import type { Facts } from './facts.ts';
import type { Preset } from './preset.ts';

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const member = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** The secrets without which no token can be asked for: `client_secret`, and settings of the kind `secret`. */
export function neededSecrets({ settings }: Preset, { clientAuthentication }: Facts): ConnectionRequest['needed'] {
  const required = Object.entries(settings).flatMap(([name, setting]) =>
    setting.kind === 'secret' && setting.required ? [name] : [],
  );
  const ofClient = {
    none: [],
    private_key_jwt: ['private_key'],
    client_secret_basic: ['client_secret'],
    client_secret_post: ['client_secret'],
  };
  const names = new Set([...ofClient[clientAuthentication], ...required]);
  return [...names].map((name) => ({
    name,
    path: name === 'client_secret' ? 'client.client_secret' : `settings.${name}`,
  }));
}

/** Returns what a request lacks of secrets where none are stored, beside the faults that it was told of. */
export function secretsMissing(parsed: ParsedRequest): Fault[] {
  const request = parsed.ok ? parsed.value : parsed.draft?.request;
  const told = parsed.ok ? [] : parsed.faults;
  const missing = (request?.needed ?? []).filter(({ name }) => request?.credentials?.[name] === undefined);
  return beside(
    told,
    missing.map(({ path }) => ({ path, message: 'is missing' })),
  );
}

/**
 * Returns the secrets that are missing beside the given ones, and the credentials for which these facts have no use.
 */
export function credentialFaults(preset: Preset, facts: Facts, body: unknown): Fault[] {
  const { clientAuthentication, grant } = facts;
  const client = member(body, 'client');
  const faults: Fault[] = [];
  const refuse = (path: string, value: unknown, message: string): void =>
    void (value !== undefined && faults.push({ path, message }));

  if (grant === 'mint' || grant === 'static') refuse('client', client, 'is not used by this provider: remove it');
  else if (client === undefined) faults.push({ path: 'client.client_id', message: 'is missing' });

  const instead = `is not used by client_authentication "${clientAuthentication}": remove it, or choose another`;
  if (!clientAuthentication.startsWith('client_secret'))
    for (const name of ['client_secret', 'client_secret_expires_at'])
      refuse(`client.${name}`, member(client, name), instead);
  if (clientAuthentication !== 'private_key_jwt')
    refuse('settings.private_key', secretIn(preset, body, 'private_key'), instead);
  if (grant !== 'refresh_token') {
    const orElse = grant === 'client_credentials' ? ', or choose the grant refresh_token' : '';
    const message = `is not used by the grant ${grant}: remove it${orElse}`;
    refuse('refresh_token', member(body, 'refresh_token'), message);
  }
  return [...faults, ...incomplete(preset, facts, body)];
}

const secretIn = ({ settings }: Preset, body: unknown, name: string): unknown =>
  settings[name]?.kind === 'secret' ? member(member(body, 'settings'), name) : undefined;

/** Stored secrets cannot be read back, so a request cannot replace one of them and keep the rest. */
function incomplete(preset: Preset, facts: Facts, body: unknown): Fault[] {
  const given = (name: string): boolean =>
    (name === 'client_secret' ? member(member(body, 'client'), name) : secretIn(preset, body, name)) !== undefined;
  const all = ['client_secret', ...Object.keys(preset.settings)];
  if (!all.some(given)) return [];
  const message =
    'is missing: secrets are replaced together, so give all of them, or none to keep those that are stored';
  return neededSecrets(preset, facts)
    .filter(({ name }) => !given(name))
    .map(({ path }) => ({ path, message }));
}
