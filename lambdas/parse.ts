/** Reads requests, and finds every fault in them at once. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import { type ConnectionName, parseConnectionName } from '../shared/domain/connection-name.ts';
import type { Fault, Parsed } from '../shared/domain/fault.ts';
import { limits } from '../shared/domain/limits.ts';
import { perhaps } from '../shared/providers/perhaps.ts';
import { unknownFields } from '../shared/providers/settings.ts';

/** The connection in the path; `default` where the route has none. */
export function parseName(event: APIGatewayProxyEventV2): Parsed<ConnectionName> {
  const value = parseConnectionName(event.pathParameters?.connection ?? 'default');
  if (value !== undefined) return { ok: true, value };
  const message = 'a connection is named by 1 to 63 of a–z, 0–9 and inner hyphens';
  return { ok: false, faults: [{ path: 'connection', message }] };
}

/**
 * The faults of the query of a call that takes these parameters: whatever else is in it would be a misunderstanding.
 * `members` are those of the body, where one of them may have been meant.
 */
export const queryFaults = (
  { queryStringParameters = {} }: APIGatewayProxyEventV2,
  known: readonly string[] = [],
  members: readonly string[] = [],
): Fault[] =>
  Object.keys(queryStringParameters)
    .filter((path) => !known.includes(path))
    .map((path) => {
      const takes = known.length === 0 ? ', which takes none' : `; ${perhaps(path, known)}`;
      const meant = members.length === 0 ? '' : `; of the body ${perhaps(path, members)}`;
      return {
        path: /^[\w.-]{1,40}$/.test(path) ? path : 'query',
        message: `is not a parameter of this call${takes}${meant}`,
      };
    });

/** Returns the connection of a call that takes nothing beside its path. */
export function parseBare(event: APIGatewayProxyEventV2): Parsed<ConnectionName> {
  const name = parseName(event);
  const faults = [...faultsOf(name), ...queryFaults(event), ...bodyFaults(event)];
  return !name.ok || faults.length > 0 ? { ok: false, faults } : name;
}

/** The fault of a body where a call takes none. */
export const bodyFaults = ({ body = '' }: APIGatewayProxyEventV2): Fault[] =>
  body.trim() === '' ? [] : [{ path: 'body', message: 'must be empty: this call takes none' }];

interface SecondsParameter {
  readonly leastMs: number;
  readonly mostMs: number;
  readonly defaultMs?: number;
}

export const tokenParameters = {
  min_ttl: { leastMs: limits.minTtlMs.least, mostMs: limits.minTtlMs.most },
  wait: { leastMs: 0, mostMs: limits.waitMs.most, defaultMs: limits.waitMs.default },
} satisfies Readonly<Record<string, SecondsParameter>>;

type TokenParameter = keyof typeof tokenParameters;

/** Those of `min_ttl` and `wait` that a call takes, whole seconds, as milliseconds. */
export function parseTokenQuery(
  event: APIGatewayProxyEventV2,
  takes: readonly TokenParameter[] = ['min_ttl', 'wait'],
): Parsed<{ readonly minTtlMs: number | undefined; readonly waitMs: number }> {
  const query = event.queryStringParameters ?? {};
  const faults = queryFaults(event, takes);
  const values: Partial<Record<TokenParameter, number>> = Object.fromEntries(
    takes
      .map((path): [string, SecondsParameter] => [path, tokenParameters[path]])
      .map(([path, { leastMs, mostMs, defaultMs }]) => {
        const text = query[path];
        if (text === undefined) return [path, defaultMs];
        const ms = /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : Number.NaN;
        if (!(ms >= leastMs && ms <= mostMs))
          faults.push({
            path,
            message: `must be a whole number of seconds from ${leastMs / 1_000} to ${mostMs / 1_000}`,
          });
        return [path, ms];
      }),
  );
  return faults.length > 0
    ? { ok: false, faults }
    : { ok: true, value: { minTtlMs: values.min_ttl, waitMs: values.wait ?? 0 } };
}

/** Returns the JSON of the body, or the fault that it is not JSON. Its content is for a schema to judge. */
export function parseBody(event: APIGatewayProxyEventV2): Parsed<unknown> {
  const text = event.isBase64Encoded ? Buffer.from(event.body ?? '', 'base64').toString() : (event.body ?? '');
  if (Buffer.byteLength(text) > limits.bodyBytes)
    return { ok: false, faults: [{ path: 'body', message: `must not be larger than ${limits.bodyBytes} bytes` }] };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    return { ok: false, faults: [{ path: 'body', message: 'must be JSON' }] };
  }
}

export const rejectionBody = v.object({
  generation: v.pipe(
    v.number('must be a number: the generation of the token that was refused'),
    v.integer('must be a whole number'),
    v.minValue(1, 'must be at least 1'),
  ),
  status: v.exactOptional(
    v.pipe(
      v.number('must be the HTTP status of the refusal'),
      v.integer('must be a whole number'),
      v.minValue(100),
      v.maxValue(599),
    ),
  ),
  detail: v.exactOptional(
    v.pipe(
      v.string('must be text'),
      v.maxLength(limits.descriptionLength, `must have at most ${limits.descriptionLength} characters`),
    ),
  ),
});

/** The body of a report that the provider refused a token. */
export function parseRejection(event: APIGatewayProxyEventV2): Parsed<v.InferOutput<typeof rejectionBody>> {
  const body = parseBody(event);
  if (!body.ok) return body;
  const parsed = v.safeParse(rejectionBody, body.value);
  const faults = [
    ...unknownFields(body.value, Object.keys(rejectionBody.entries), ''),
    ...(parsed.issues ?? []).map((issue) => ({ path: v.getDotPath(issue) ?? 'body', message: issue.message })),
  ];
  return parsed.success && faults.length === 0 ? { ok: true, value: parsed.output } : { ok: false, faults };
}

/** Every fault of every part. */
export const faultsOf = (...parts: readonly Parsed<unknown>[]): readonly Fault[] =>
  parts.flatMap((part) => (part.ok ? [] : part.faults));
