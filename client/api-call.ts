/** A call of a provider's API with the token of a connection. */

import type { Advice } from './advice-kinds.ts';
import { note } from './advice-of.ts';
import type { ApiBody, ApiInit, BrokerToken, Rejection } from './api.ts';
import type { BrokerEvent } from './events.ts';
import type { World } from './world.ts';

/**
 * The URL with places like `{realmId}` filled from the token's values, and taken relative to its endpoint. Throws
 * `TypeError` for what is no URL then.
 */
function urlOf(input: string, { connection, endpoint, values }: BrokerToken): string {
  const filled = input.replace(/\{(\w+)\}/g, (place, name: string) =>
    Object.hasOwn(values, name) ? encodeURIComponent(String(values[name])) : place,
  );
  if (URL.canParse(filled, endpoint)) return new URL(filled, endpoint).href;
  const lacking = endpoint === undefined ? `, and connection "${connection}" has no endpoint` : '';
  throw new TypeError(`"${input}" is no absolute URL${lacking}`);
}

type Input = string | URL | Request;

/** Whether it can be sent a second time: its body is neither a stream nor that of a Request. */
const isRepeatable = (input: Input, body: ApiBody | undefined): boolean =>
  body
    ? typeof body !== 'object' || !(body instanceof ReadableStream || Symbol.asyncIterator in body)
    : !(input instanceof Request && input.body);

/**
 * Sends it with the token's headers. A redirect is not followed unless the caller says so: `fetch` would take headers
 * other than `Authorization` along to another host. Rejects as `fetch` does.
 */
async function sendWith(token: BrokerToken, input: Input, init: ApiInit, world: World): Promise<Response> {
  const request = input instanceof Request ? input : undefined;
  const headers = new Headers(init.headers ?? request?.headers);
  for (const [name, value] of Object.entries(token.headers)) headers.set(name, value);
  const body = typeof init.body === 'function' ? init.body(token) : init.body;
  // Which half of the exchange ends first has to be said where the body is a stream.
  const sent = { redirect: 'manual', ...(body && { duplex: 'half' }), ...init, body, headers };
  return world.fetch(request ?? urlOf(String(input), token), sent as RequestInit);
}

/**
 * What the reply asks for, by the rules of its provider where that is named; undefined for a success. The rules are
 * loaded when they are needed first.
 */
async function adviceFor(
  response: Response,
  method: string,
  provider: string | undefined,
  { failures, world }: { readonly failures: number; readonly world: World },
): Promise<Advice | undefined> {
  // XML gateways answer 200 to what they refuse.
  const inside = provider !== undefined && /\bxml\b/.test(response.headers.get('content-type') ?? '');
  if (response.ok && !inside) return undefined;
  const { adviceOnResponse } = await import('./advice-on-response.ts');
  const asked = { method, failures, now: world.timeOfDay(), chance: world.chance() };
  const advice = await adviceOnResponse(provider, response, asked);
  if (advice) note(response, advice);
  return advice;
}

interface ApiCaller {
  readonly world: World;
  readonly tell: (event: BrokerEvent) => void;
  readonly token: () => Promise<BrokerToken>;
  /** Reports a token, and resolves to a newer one; undefined where there is no newer one in time. */
  readonly newer: (rejection: Rejection) => Promise<BrokerToken | undefined>;
}

/** Resolves to the API's reply, after one report and one repetition where it refuses the token. */
export async function callApi(
  { world, tell, token, newer }: ApiCaller,
  input: Input,
  { provider, ...init }: ApiInit,
): Promise<Response> {
  const method = init.method ?? (input instanceof Request ? input.method : 'GET');
  let used = await token();
  for (let failures = 0; ; failures += 1) {
    const response = await sendWith(used, input, init, world);
    const advice = await adviceFor(response, method, provider, { failures, world });
    if (advice === undefined) return response;
    const [{ status }, { connection, generation }] = [response, used];
    tell({ kind: 'api_refused', connection, generation, status, advice });
    if (advice.do !== 'report_token' || failures > 0) return response;
    const detail = advice.description;
    const next = await newer({ generation, status, ...(detail && { detail }) });
    if (next === undefined || !isRepeatable(input, init.body)) return response;
    await response.body?.cancel();
    used = next;
  }
}
