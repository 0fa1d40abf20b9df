import type { TokenAnswer } from '../shared/application/get-token.ts';
import type { ConnectionName } from '../shared/domain/connection-name.ts';
import { limits } from '../shared/domain/limits.ts';
import { iso } from '../shared/domain/time.ts';
import { retryAfterSeconds } from '../shared/domain/timing.ts';
import { requestEndpoint, requestHeaders, requestValues } from '../shared/providers/headers.ts';
import { downstreamErrors, fixOf } from './describe.ts';
import type { TokenReply } from './replies.ts';
import { json, notFound, problem, type Reply } from './reply.ts';

/** Returns the token, or the problem that says why it is missing and what to do about it. */
export function tokenReply(connection: ConnectionName, answer: TokenAnswer): Reply {
  switch (answer.kind) {
    case 'token':
      return json(200, tokenBody(answer));
    case 'not_found':
      return notFound(connection);
    case 'refused': {
      const { cause } = answer.item;
      const next =
        answer.code === 'misconfigured'
          ? `${fixOf(answer.item)} Correct its settings with`
          : 'Authorize it again, or import a refresh token with';
      const detail =
        `Connection "${connection}" is ${answer.code} (${cause ?? 'unknown cause'}). ${next} ` +
        `PUT /connections/${connection}.`;
      return problem(answer.code, {
        detail,
        ...(cause === undefined ? {} : { cause }),
        downstreamErrors: downstreamErrors(answer.item),
      });
    }
    case 'paused':
      return problem('temporarily_unavailable', {
        detail: `Connection "${connection}" is paused, and has no token left. It is renewed again once it is resumed.`,
        retryAfterSeconds: limits.retryAfterSeconds.most,
      });
    case 'unsatisfiable': {
      const detail = `min_ttl is more than a token of connection "${connection}" ever lives. Ask for less.`;
      return problem('invalid_request', {
        detail,
        faults: [{ path: 'min_ttl', message: 'is more than the lifetime of a token' }],
      });
    }
    case 'unavailable':
      return problem('temporarily_unavailable', {
        detail:
          `Connection "${connection}" has no token to give at this moment; ${expectation(answer)}. ` +
          'Ask again after Retry-After.',
        retryAfterSeconds: retryAfterSeconds(answer.retryAt, answer.now),
        downstreamErrors: answer.item === undefined ? [] : downstreamErrors(answer.item),
      });
  }
}

function tokenBody({
  item,
  tokens,
  accessToken,
  companions,
  now,
  warning,
}: Extract<TokenAnswer, { kind: 'token' }>): TokenReply {
  const { type: tokenType, expiresAt, scope, endsAtRenewal } = tokens;
  const values = requestValues(item.config, item.grant.values);
  return {
    connection: item.connection,
    access_token: accessToken.reveal(),
    token_type: tokenType,
    expires_in: Math.floor((expiresAt - now) / 1_000),
    expires_at: iso(expiresAt),
    refresh_after: iso(item.refreshAt ?? expiresAt),
    renewal_ends_previous: endsAtRenewal,
    generation: item.generation,
    scope,
    headers: requestHeaders(item.config, {
      accessToken,
      tokenType,
      ...(companions?.secrets && { secrets: companions.secrets }),
    }),
    endpoint: companions?.endpoint ?? requestEndpoint(item.config, values),
    values,
    warning,
  };
}

const expectation = ({ notBefore }: Extract<TokenAnswer, { kind: 'unavailable' }>): string =>
  notBefore === undefined ? 'a renewal is being tried' : `the next can be expected from ${iso(notBefore)}`;
