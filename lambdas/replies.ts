/**
 * What the API answers, as schemas: the handlers take their types from here, and `openapi.json` its words. They are
 * open: a later version may add members, and clients leave alone what they do not know.
 */
import * as v from 'valibot';
import { breakerReasons } from '../shared/domain/breaker.ts';
import { shownStates } from '../shared/domain/connection.ts';
import { connectionNamePattern } from '../shared/domain/connection-name.ts';
import { causes, failureClasses, unrevocable } from '../shared/domain/failure.ts';
import { limits } from '../shared/domain/limits.ts';
import { signNames } from '../shared/domain/signs.ts';
import { problemCodes } from './problems.ts';

const about = <const Schema extends v.GenericSchema>(schema: Schema, text: string) =>
  v.pipe(schema, v.description(text));
const text = (description: string) => about(v.string(), description);
const whole = (description: string, least = 0) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.description(description));
const instant = (description: string) => v.pipe(v.string(), v.isoTimestamp(), v.description(description));
const uri = (description: string) => v.pipe(v.string(), v.metadata({ format: 'uri', description }));
const texts = v.record(v.string(), v.string());

const connection = v.pipe(v.string(), v.regex(connectionNamePattern), v.description("The connection's name."));
const generation = (description: string) => whole(description, 0);
const retryAfter = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(limits.retryAfterSeconds.least),
  v.maxValue(limits.retryAfterSeconds.most),
  v.description('Seconds to wait before the next try; the header Retry-After says the same.'),
);
const status = v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(599), v.description('Its HTTP status.'));
const cause = about(v.picklist(causes), 'Why the connection is not active.');
const wasError = text("The provider's error code, or one of the broker's own: time_out, http_503 …");
const wasDescription = text("The provider's own words, without what looks like a secret.");

const tokenReply = about(
  v.object({
    connection,
    access_token: text("The access token. headers has it in the form that the provider's API takes."),
    token_type: text('What stands before the token in the header Authorization, as the provider spells it.'),
    expires_in: whole('Seconds until the token expires.'),
    expires_at: instant('When the token expires.'),
    refresh_after: instant('Keep the token until then. From then on ask again; a newer one may be there.'),
    renewal_ends_previous: v.optional(
      about(v.literal(true), 'From refresh_after on the provider may end this token at any moment, by renewing it.'),
    ),
    generation: generation('The number of this token: a higher one is newer. Reports of refused tokens name it.'),
    scope: v.optional(text('The scope that the provider granted, if it told.')),
    headers: about(texts, "What to put on each request to the provider's API, whatever its kind."),
    endpoint: v.optional(uri('Where the API of this token is, for providers that tell with the token.')),
    values: v.optional(about(texts, 'What came with the login and requests need: realmId and the like.')),
    warning: v.optional(
      text('The last renewal failed, and why, or may have ended this token. Else it is good until it expires.'),
    ),
  }),
  'An access token, and what a client needs to use it.',
);

const failure = about(
  v.object({
    class: about(v.picklist(failureClasses), 'What the failure means.'),
    error: wasError,
    status: v.optional(status),
    error_description: v.optional(wasDescription),
    fix: v.optional(text('What to do about it, where the rules of the provider know.')),
    rule: v.optional(text('The rule that decided what it means.')),
    at: instant('When it happened.'),
    count: whole('How many calls in a row have failed.', 1),
  }),
  'The last call to the provider failed.',
);

const connectionReply = about(
  v.object({
    connection,
    provider: text('The preset.'),
    settings: about(v.record(v.string(), v.unknown()), 'As they were put, without secrets.'),
    settings_outdated: v.optional(about(v.literal(true), 'The preset is gone, or asks for other settings.')),
    client: v.optional(
      v.object({
        client_id: text('The client id of the application at the provider.'),
        client_secret: v.optional(about(v.literal('[redacted]'), 'There is one.')),
        client_secret_in_use: v.optional(
          about(v.picklist(['first', 'second']), 'Which of two is sent. Absent where there is one.'),
        ),
        client_secret_expires_at: v.optional(
          instant('When the secret ends, of two the one that is sent. Absent where that was not put, or never.'),
        ),
      }),
    ),
    secrets: v.optional(about(v.array(v.string()), 'The settings that are secrets and stored.')),
    renewal: about(v.picklist(['while_used', 'always']), 'Whether an idle connection is renewed.'),
    margin_seconds: v.optional(whole('How long before expiry tokens are renewed.')),
    account: v.optional(text('The account that logs in at the provider, as it was put.')),
    callback: v.optional(about(v.literal('shared'), 'Logins end at the redirect URI that connections share.')),
    allow_grant_conflict: v.optional(about(v.literal(true), 'It may end the grant of another connection.')),
    state: about(v.picklist(shownStates), 'Tokens are served while it is active.'),
    cause: v.optional(cause),
    paused_since: v.optional(instant('Since when it is not renewed, because an operator wants it so.')),
    paused_by: v.optional(text('The principal who paused it.')),
    unproven: v.optional(about(v.literal(true), 'No renewal has shown yet that the grant is good.')),
    generation: generation('The number of the newest token; 0 before the first.'),
    renewed_at: v.optional(instant('When the newest access token came.')),
    expires_at: v.optional(instant('When the newest access token expires.')),
    expires_in: v.optional(whole('Seconds until then.')),
    next_renewal_at: v.optional(instant('When the next renewal is planned. Absent while the connection rests.')),
    redirect_uri: v.optional(
      uri('Where a login ends: to be registered at the provider. Absent where there is no login.'),
    ),
    values: v.optional(about(texts, 'What came with the login.')),
    grant_ends_at: v.optional(instant('When a person has to log in again, as far as it is known.')),
    not_before: v.optional(instant('No call is made to the provider before.')),
    retry_after: v.optional(retryAfter),
    budget: v.optional(
      about(
        v.object({
          errors_left_this_hour: v.optional(whole('Failed calls that the provider still allows within the hour.')),
          calls_left_today: v.optional(whole('Calls that it still allows on this day (UTC).')),
        }),
        'What the provider limits.',
      ),
    ),
    last_used_at: v.optional(instant('When a client last asked, to within five minutes.')),
    created_at: instant('When the connection was created.'),
    last_failure: v.optional(failure),
    second_refresher: v.optional(
      about(
        v.object({
          suspected: about(v.boolean(), 'There is a sign that only another party explains; else there are hints.'),
          detail: text('The same in words, and what to do.'),
          signs: v.array(
            v.object({
              sign: about(v.picklist(signNames), 'What was seen.'),
              last_at: instant('When it was seen last.'),
              times: whole('How often it was seen.', 1),
            }),
          ),
        }),
        'What points to another party that renews the same grant; each sign for a week.',
      ),
    ),
    application: text(
      'Preset, token endpoint and client id: connections with the same ones share the health of their provider.',
    ),
    breaker: v.optional(
      about(
        v.object({
          reason: about(v.picklist(breakerReasons), 'It answers no calls, or refuses too many grants at once.'),
          until: instant('No call before; then one connection tries.'),
          probes: whole('How many tries in a row were in vain.'),
        }),
        'No connection of this application calls its provider. Only in the answer about one connection.',
      ),
    ),
    verdict_withheld: v.optional(
      about(v.literal(true), 'The provider calls the grant dead, and too many of one application at once for that.'),
    ),
  }),
  'A connection and its status, without secrets.',
);

const connectionList = v.object({
  connections: v.array(connectionReply),
  next: v.optional(about(connection, 'The list goes on: ask again with after=…, this name.')),
});

const linkReply = about(
  v.object({
    connect_url: uri('The link. It opens a page that leads to the login at the provider, once.'),
    expires_at: instant('Until when the link is good.'),
  }),
  'A link to log in with.',
);

const deletion = about(
  v.object({
    connection,
    revoked: about(v.literal(false), 'The grant will not be revoked at the provider.'),
    code: about(v.picklist(unrevocable), 'Why not.'),
    detail: text('The same in words, and what to do.'),
  }),
  'A deletion that leaves the grant as it is at the provider.',
);

const fault = v.object({
  path: text('The parameter, or the member of the body as names joined by dots.'),
  message: text('What is wrong and what would be right.'),
});

const downstreamError = v.object({
  status: v.optional(status),
  error: wasError,
  error_description: v.optional(wasDescription),
});

const problem = about(
  v.object({
    type: text('urn:token-broker:problem: and the code.'),
    title: text('The code in words.'),
    status,
    detail: text('What happened, where, and what to do next. For people.'),
    code: about(v.picklist(problemCodes), 'For programs.'),
    cause: v.optional(cause),
    retryable: about(v.boolean(), 'Whether the same request may succeed later.'),
    retry_after: v.optional(retryAfter),
    faults: v.optional(about(v.array(fault), 'Everything that is wrong with the request.')),
    downstream_errors: about(v.array(downstreamError), 'What the provider itself said last.'),
  }),
  'Problem details (RFC 9457).',
);

/** Each schema by its name in `components` of the document. */
export const replySchemas = {
  Token: tokenReply,
  Connection: connectionReply,
  Connections: connectionList,
  Link: linkReply,
  Deletion: deletion,
  Problem: problem,
  Fault: fault,
  Failure: failure,
  DownstreamError: downstreamError,
} as const;

export type ReplyName = keyof typeof replySchemas;

export type TokenReply = v.InferOutput<typeof tokenReply>;
export type ConnectionReply = v.InferOutput<typeof connectionReply>;
export type ConnectionList = v.InferOutput<typeof connectionList>;
export type DeletionReply = v.InferOutput<typeof deletion>;
export type LinkReply = v.InferOutput<typeof linkReply>;
export type Problem = v.InferOutput<typeof problem>;
export type DownstreamError = v.InferOutput<typeof downstreamError>;
