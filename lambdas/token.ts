/** `GET /token` and `GET /token/{connection}`. */
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { downstreamErrors } from '../shared/application/describe.ts';
import { getToken, type TokenAnswer } from '../shared/application/get-token.ts';
import { composeToken } from '../shared/compose.ts';
import { retryAfterSeconds } from '../shared/domain/timing.ts';
import type { ConnectionName } from '../shared/domain/types.ts';
import { parseName, parseTokenQuery } from './parse.ts';
import { invalid, json, problem } from './reply.ts';
import { safely } from './safely.ts';

const compose = composeToken();

export const handler = safely(compose, async (event) => {
  const [name, query] = [parseName(event), parseTokenQuery(event)];
  if (!name.ok || !query.ok) return invalid([...(name.ok ? [] : name.faults), ...(query.ok ? [] : query.faults)]);
  const answer = await getToken(compose(), name.value, query.value.minTtlMs, query.value.waitMs);
  return reply(name.value, answer);
});

function reply(connection: ConnectionName, answer: TokenAnswer): APIGatewayProxyStructuredResultV2 {
  switch (answer.kind) {
    case 'token':
      return json(200, tokenBody(answer));
    case 'not_found':
      return problem('connection_not_found', { detail: `There is no connection "${connection}". Create it with PUT /connections/${connection}.` });
    case 'refused': {
      const { cause } = answer.item;
      const next = answer.code === 'misconfigured' ? 'Correct its settings with' : 'Authorize it again, or import a refresh token with';
      const detail = `Connection "${connection}" is ${answer.code} (${cause ?? 'unknown cause'}). ${next} PUT /connections/${connection}.`;
      return problem(answer.code, { detail, ...(cause === undefined ? {} : { cause }), downstreamErrors: downstreamErrors(answer.item) });
    }
    case 'unsatisfiable': {
      const detail = `min_ttl is more than a token of connection "${connection}" ever lives. Ask for less.`;
      return problem('invalid_request', { detail, faults: [{ path: 'min_ttl', message: 'is more than the lifetime of a token' }] });
    }
    case 'unavailable':
      return problem('temporarily_unavailable', {
        detail: `Connection "${connection}" has no valid token at this moment; a renewal is being tried. Ask again after Retry-After.`,
        retryAfterSeconds: retryAfterSeconds(answer.retryAt, answer.now),
        downstreamErrors: answer.item === undefined ? [] : downstreamErrors(answer.item),
      });
  }
}

function tokenBody({ item, accessToken, now, warning }: Extract<TokenAnswer, { kind: 'token' }>) {
  const expiresAt = item.expiresAt ?? now;
  // RFC 6750 names the scheme `Bearer`; RFC 6749 lets servers spell the type in any case.
  const scheme = item.tokenType === undefined || /^bearer$/i.test(item.tokenType) ? 'Bearer' : item.tokenType;
  return {
    connection: item.connection,
    access_token: accessToken.reveal(),
    token_type: item.tokenType ?? 'Bearer',
    expires_in: Math.floor((expiresAt - now) / 1_000),
    expires_at: new Date(expiresAt).toISOString(),
    refresh_after: new Date(item.refreshAt ?? expiresAt).toISOString(),
    generation: item.generation,
    scope: item.scope,
    headers: { Authorization: `${scheme} ${accessToken.reveal()}` },
    warning,
  };
}
