/**
 * Settings that no preset understands any more: an upgrade took the preset away, or changed what it asks for. Nothing
 * can be asked of the provider, so the connection counts as misconfigured until it is put again, or until the preset is
 * back.
 */
import { noted } from './announcements.ts';
import type { Connection, State } from './connection.ts';
import type { Cause } from './failure.ts';
import { limits } from './limits.ts';
import { type EpochMs, plus } from './time.ts';
import { type Clause, sameGrant, sameSettings, stillActive, type Write } from './writes.ts';

const cause: Cause = 'settings_outdated';
const becauseOutdated: Clause = { path: 'cause', equals: cause };

/** Whether the connection waits for its preset. */
export const waitsForPreset = (item: Connection): boolean => item.state === 'misconfigured' && item.cause === cause;

export const markOutdated = (item: Connection, now: EpochMs): Write => ({
  name: 'mark_outdated',
  when: [sameGrant(item), sameSettings(item), stillActive],
  set: { state: 'misconfigured' satisfies State, cause, ...noted('misconfigured', now) },
  remove: [],
});

/** Subscribers know of the change that was noted. The planner looks again later: the preset may be back by then. */
export function lookLater(item: Connection, now: EpochMs): Write {
  const { announcement } = item;
  return {
    name: 'look_later',
    when: [
      sameGrant(item),
      sameSettings(item),
      ...(announcement === undefined
        ? [{ absent: 'announcement' } as const]
        : [{ path: 'announcement.at', equals: announcement.at } as const]),
    ],
    set: { dueAt: plus(now, limits.backOffMaxMs) },
    remove: ['announcement'],
  };
}

/** The preset understands the settings again: the connection goes on where it stopped. */
export const markFitting = (item: Connection, now: EpochMs): Write => ({
  name: 'mark_fitting',
  when: [sameGrant(item), sameSettings(item), becauseOutdated],
  set: { state: 'active' satisfies State, ...noted('recovered', now) },
  remove: ['cause'],
});
