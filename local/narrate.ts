import * as v from 'valibot';
import type { DeliveredEvent } from './aws/eventbridge/eventbridge.ts';
import type { Refusal } from './platform/gateway.ts';

const LogLine = v.looseObject({
  level: v.picklist(['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL']),
  message: v.string(),
  connection: v.optional(v.string()),
  generation: v.optional(v.number()),
  refreshAt: v.optional(v.string()),
  expiresAt: v.optional(v.string()),
  code: v.optional(v.string()),
  description: v.optional(v.string()),
});

/** What callers have done. What comes of it, an event or a renewal tells. */
const doings: Readonly<Record<string, string>> = {
  connection_put: 'put',
  authorization_offered: 'a link to log in with was made',
  authorization_withdrawn: 'its link was withdrawn',
  deletion_begun: 'serves no more, is being deleted',
};

/**
 * Says what a line of a function's log means to the person at the terminal: a renewal, a call that changes something, a
 * warning, or a line that is no log record (a crash). Undefined for what does not concern that person, such as metrics.
 * `now` is what "in 30 s" counts from.
 */
export function narrate(functionName: string, line: string, now: Date): string | undefined {
  const clock = clockOf(now);
  const json = parsed(line);
  if (json === undefined) return `${clock}  ${functionName}: ${line}`;
  const record = v.safeParse(LogLine, json);
  if (!record.success) return undefined;
  const { level, message, connection = '', generation, refreshAt, code, description } = record.output;
  if (message === 'refresh_succeeded') {
    const seconds = refreshAt === undefined ? undefined : Math.round((Date.parse(refreshAt) - now.getTime()) / 1000);
    const next = seconds === undefined ? '' : `, next renewal in ${seconds} s`;
    return `${clock}  ${connection}: renewed, generation ${generation}${next}`;
  }
  const done = doings[message];
  if (done !== undefined) return `${clock}  ${connection}: ${done}`;
  if (level === 'DEBUG' || level === 'INFO') return undefined;
  const about = [connection && `${connection}:`, message, code && `(${code})`, description].filter(Boolean).join(' ');
  return `${clock}  ${level === 'WARN' ? 'warning' : 'ERROR'}  ${about}`;
}

/** Says what subscribers are told. */
export function narrateEvent({ 'detail-type': detailType, detail }: DeliveredEvent, now: Date): string {
  const { connection, change, cause, changed, signs, revoked } = detail;
  const until = detail.grant_ends_at ?? detail.client_secret_expires_at;
  const about = [
    change ?? detailType,
    ...(cause === undefined ? [] : [`(${cause})`]),
    ...(until === undefined ? [] : [`by ${until}`]),
    ...[changed, signs].filter(Array.isArray).map((names) => `(${names.join(', ')})`),
    ...(revoked === undefined ? [] : [revoked ? '(revoked)' : '(not revoked)']),
  ].join(' ');
  return `${clockOf(now)}  event  ${connection === undefined ? '' : `${connection}: `}${about}`;
}

/** Says why the gateway did not let a request through. */
export const narrateRefusal = ({ request, status, reason }: Refusal, now: Date): string =>
  `${clockOf(now)}  refused  ${request}: ${status}, ${reason}`;

const clockOf = (now: Date): string => now.toTimeString().slice(0, 8);

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
