/** Reads requests for a link to log in with. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Fault, Parsed } from '../shared/domain/fault.ts';
import { limits } from '../shared/domain/limits.ts';
import { perhaps } from '../shared/providers/perhaps.ts';
import { unknownFields } from '../shared/providers/settings.ts';
import { parseBody } from './parse.ts';

const { least, default: usual, most } = limits.authorizationMs;
const members = ['expires_in'] as const;

/**
 * How long a link is to be good, in milliseconds. There need not be a body; what is not known in it, or in the query,
 * is a fault.
 */
export function parseAuthorization(event: APIGatewayProxyEventV2): Parsed<number> {
  const body = event.body === undefined || event.body === '' ? ({ ok: true, value: {} } as const) : parseBody(event);
  const faults = [...queryFaults(event), ...(body.ok ? bodyFaults(body.value) : body.faults)];
  if (faults.length > 0 || !body.ok) return { ok: false, faults };
  const { expires_in: seconds = usual / 1_000 } = body.value as { readonly expires_in?: number };
  return { ok: true, value: seconds * 1_000 };
}

/** The faults of a call that takes no query. */
export const queryFaults = ({ queryStringParameters = {} }: APIGatewayProxyEventV2): Fault[] =>
  Object.keys(queryStringParameters).map((path) => ({
    path: /^[\w.-]{1,40}$/.test(path) ? path : 'query',
    message: `is not a parameter of this call, which takes none; of the body ${perhaps(path, members)}`,
  }));

function bodyFaults(body: unknown): Fault[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return [{ path: '', message: 'must be a JSON object' }];
  const seconds: unknown = 'expires_in' in body ? body.expires_in : usual / 1_000;
  const sound =
    typeof seconds === 'number' && Number.isInteger(seconds) && seconds * 1_000 >= least && seconds * 1_000 <= most;
  const message = `must be a whole number of seconds from ${least / 1_000} to ${most / 1_000} (seven days)`;
  return [...unknownFields(body, members, ''), ...(sound ? [] : [{ path: 'expires_in', message }])];
}
