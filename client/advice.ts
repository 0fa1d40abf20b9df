/**
 * For clients (docs/providers.md, Replies of the API, says how they get it): what a reply of a provider's API asks them
 * to do. Pure, without network or clock.
 */

import type { EpochMs } from '../shared/domain/time.ts';
import { xmlMembers } from '../shared/providers/xml.ts';
import type { Advice } from './advice-kinds.ts';
import { type ApiPreset, adviceFor } from './api-rules.ts';
import { knownApis } from './apis/index.ts';

export type { Advice } from './advice-kinds.ts';
export type { ApiPreset } from './api-rules.ts';

export interface ReplyOfApi {
  readonly status: number;
  /** Names in any letter case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Asked {
  /** Of the request, for example `POST`; without it, the request is taken for one that may have changed something. */
  readonly method?: string;
  /** How many times this request failed before this reply; 0 if absent. */
  readonly failures?: number;
  /** The time of the reply, in milliseconds since 1970. */
  readonly now: number;
  /** Random, in [0, 1): spreads delays that are a range. 0 if absent. */
  readonly chance?: number;
}

/**
 * Returns what to do after this reply (`undefined`: no reply came), why, and where that was read. `retryAt` is in
 * milliseconds since 1970. A provider that has no rules of its own, or is not known, gets those of RFC 6750 §3.1 and
 * RFC 9110 alone. Throws for numbers that are `NaN`.
 */
export function adviceOn(
  provider: string | ApiPreset,
  reply: ReplyOfApi | undefined,
  { method, failures = 0, now, chance = 0 }: Asked,
): Advice {
  const faults = [
    ...(Number.isInteger(failures) && failures >= 0 ? [] : ['failures: must be a whole number from 0']),
    ...(Number.isFinite(now) ? [] : ['now: must be milliseconds since 1970']),
    ...(chance >= 0 && chance < 1 ? [] : ['chance: must be at least 0 and less than 1']),
  ];
  if (faults.length > 0) throw new TypeError(faults.join('; '));
  const own =
    typeof provider !== 'string' ? provider : Object.hasOwn(knownApis, provider) ? knownApis[provider] : undefined;
  const lowered = Object.fromEntries(
    Object.entries(reply?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const dialect = { ...(own ?? { rules: [] }), ...(own?.format === 'xml' && { parse: xmlMembers }) };
  return adviceFor(
    reply && { ...reply, headers: lowered },
    { ...(method !== undefined && { method }), failures, now: now as EpochMs, chance },
    dialect,
  );
}
