/** `GET /token`, `GET /token/{connection}`, and the reports of clients whose token was refused. */
import { getToken, rejectToken } from '../shared/application/get-token.ts';
import { composeToken } from '../shared/compose.ts';
import { refusalOf } from './access.ts';
import { audited } from './audited.ts';
import { bodyFaults, faultsOf, parseName, parseRejection, parseTokenQuery } from './parse.ts';
import { invalid, since } from './reply.ts';
import type { RouteKey } from './routes.ts';
import { type Handler, safely } from './safely.ts';
import { tokenReply } from './token-reply.ts';

const compose = composeToken();

const get: Handler = async (event) => {
  const [name, query, faults] = [parseName(event), parseTokenQuery(event), bodyFaults(event)];
  if (!name.ok || !query.ok || faults.length > 0) return invalid([...faultsOf(name, query), ...faults]);
  const { minTtlMs, waitMs } = query.value;
  return tokenReply(name.value, await getToken(compose(), name.value, minTtlMs, waitMs));
};

const handlers: Readonly<Record<RouteKey<'token'>, Handler>> = {
  'GET /token': get,
  'GET /token/{connection}': get,
  'POST /token/{connection}/rejections': async (event) => {
    const [name, query, body] = [parseName(event), parseTokenQuery(event, ['wait']), parseRejection(event)];
    if (!name.ok || !query.ok || !body.ok) return invalid(faultsOf(name, query, body));
    const answer = await rejectToken(compose(), name.value, body.value, query.value.waitMs);
    if (answer.kind !== 'never_issued') return since(body.value.generation, tokenReply(name.value, answer));
    return invalid([{ path: 'generation', message: 'is newer than any token that was issued' }]);
  },
};

/** Before anything is looked at: a refusal tells nothing of what there is. */
const answer: Handler = async (event) => refusalOf(event) ?? handlers[event.routeKey as RouteKey<'token'>](event);

export const handler = audited(compose, safely(compose, answer));
