/** Fills in the endpoints of an authorization server that a request names by its issuer. */
import type { ConnectionRequest } from '../application/connection-request.ts';
import type { Discovery } from '../ports/discovery.ts';
import { isObject, member } from './credentials.ts';
import { knownPresets } from './presets/index.ts';
import type { Fault } from './settings.ts';
import { type Parsed, type ParseOptions, parseConnectionRequest } from './validate.ts';

/**
 * Returns the request with the endpoints that its issuer's metadata names, unless it gives them itself, or every fault of what was
 * found. A request without an issuer comes back as it is, and nobody is asked.
 */
export async function discovered(
  discovery: Discovery,
  request: ConnectionRequest,
  body: unknown,
  options: ParseOptions,
): Promise<Parsed> {
  const { issuer, config } = request;
  if (issuer === undefined) return { ok: true, value: request };
  const answer = await discovery.discover(issuer.value);
  if (answer.kind === 'fault') return refused([{ path: issuer.path, message: answer.message }]);

  const { metadata } = answer;
  const { settings = {} } = (options.presets ?? knownPresets)[config.provider] ?? {};
  const given = member(body, 'settings');
  // Metadata and settings have the same names for endpoints.
  const endpoints = Object.keys(settings).filter(
    (name) => settings[name]?.kind === 'url' && member(given, name) === undefined,
  );
  const found = Object.fromEntries(
    endpoints.flatMap((name) => (member(metadata, name) === undefined ? [] : [[name, member(metadata, name)]])),
  );
  const demanded = metadata.authorization_response_iss_parameter_supported === true &&
    'iss_parameter' in settings && { iss_parameter: 'required' };
  const named = { [issuer.path.replace('settings.', '')]: metadata.issuer };
  const parsed = parseConnectionRequest(
    { ...(isObject(body) && body), settings: { ...demanded, ...(isObject(given) && given), ...named, ...found } },
    options,
  );

  if (!parsed.ok) return refused(parsed.faults.map(({ path, message }) => atIssuer(path, message)));
  const needed = endpoints.find((name) => settings[name]?.required === true && found[name] === undefined);
  return needed === undefined
    ? parsed
    : refused([{ path: issuer.path, message: `has no ${needed} in its metadata: give settings.${needed}` }]);

  /** A fault of what was found is told where it comes from. */
  function atIssuer(path: string, message: string): Fault {
    const name = path.replace('settings.', '');
    return issuer !== undefined && name in found
      ? { path: issuer.path, message: `names a ${name} in its metadata that ${message}` }
      : { path, message };
  }
}

const refused = (faults: readonly Fault[]): Parsed => ({ ok: false, faults });
