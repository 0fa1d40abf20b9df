/** Fills in the endpoints of an authorization server that a request names by its issuer. */
import type { Fault, Parsed } from '../domain/fault.ts';
import type { ConnectionRequest } from '../ports/connection-requests.ts';
import type { ServerMetadata } from '../ports/discovery.ts';
import { member } from './credentials.ts';
import type { ParseOptions } from './parse-request.ts';
import { knownPresets } from './presets/index.ts';
import { faultOfSetting } from './settings.ts';

/** See `ConnectionRequests.complete`. Metadata and settings have the same names for endpoints. */
export function completeRequest(
  request: ConnectionRequest,
  metadata: ServerMetadata,
  { presets = knownPresets, ...policy }: ParseOptions,
): Parsed<ConnectionRequest> {
  const { issuer, config } = request;
  if (issuer === undefined) return { ok: true, value: request };
  const { settings = {} } = presets[config.provider] ?? {};
  const given = config.settings;
  const faults: Fault[] = [];
  const found: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    if (setting.kind !== 'url' || given[name] !== undefined) continue;
    const value = member(metadata, name);
    const fault = value === undefined ? undefined : faultOfSetting(setting, value, policy);
    if (fault !== undefined)
      faults.push({ path: issuer.path, message: `names a ${name} in its metadata that ${fault}` });
    else if (value !== undefined) found[name] = value;
    else if (setting.required)
      faults.push({ path: issuer.path, message: `has no ${name} in its metadata: give settings.${name}` });
  }
  if (faults.length > 0) return { ok: false, faults };
  const demanded = metadata.authorization_response_iss_parameter_supported === true &&
    'iss_parameter' in settings && { iss_parameter: 'required' };
  const named = { [issuer.path.replace('settings.', '')]: metadata.issuer };
  return {
    ok: true,
    value: { ...request, config: { ...config, settings: { ...demanded, ...given, ...named, ...found } } },
  };
}
