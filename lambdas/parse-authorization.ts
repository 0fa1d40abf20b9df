/** Reads requests for a link to log in with. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import type { Parsed } from '../shared/domain/fault.ts';
import { limits } from '../shared/domain/limits.ts';
import { isObject } from '../shared/providers/credentials.ts';
import { unknownFields } from '../shared/providers/settings.ts';
import { parseBody, queryFaults } from './parse.ts';

const { least, default: usual, most } = limits.authorizationMs;
const lifeWords = `must be a whole number of seconds from ${least / 1_000} to ${most / 1_000} (seven days)`;
const life = v.config(
  v.pipe(
    v.number(lifeWords),
    v.integer(lifeWords),
    v.minValue(least / 1_000, lifeWords),
    v.maxValue(most / 1_000, lifeWords),
  ),
  { abortPipeEarly: true },
);
/** The members of the body, which may be absent as a whole. */
export const authorizationEntries = { expires_in: v.exactOptional(life, usual / 1_000) };
const authorizationBody = v.pipe(
  // A list is an object to a schema of members.
  v.custom(isObject, 'must be a JSON object'),
  v.object(authorizationEntries),
);
const members = Object.keys(authorizationEntries);

/**
 * How long a link is to be good, in milliseconds. There need not be a body; what is not known in it, or in the query,
 * is a fault.
 */
export function parseAuthorization(event: APIGatewayProxyEventV2): Parsed<number> {
  const body = event.body === undefined || event.body === '' ? ({ ok: true, value: {} } as const) : parseBody(event);
  if (!body.ok) return { ok: false, faults: [...queryFaults(event, [], members), ...body.faults] };
  const parsed = v.safeParse(authorizationBody, body.value);
  const faults = [
    ...queryFaults(event, [], members),
    ...unknownFields(body.value, members, ''),
    ...(parsed.issues ?? []).map((issue) => ({ path: v.getDotPath(issue) ?? '', message: issue.message })),
  ];
  return parsed.success && faults.length === 0
    ? { ok: true, value: parsed.output.expires_in * 1_000 }
    : { ok: false, faults };
}
