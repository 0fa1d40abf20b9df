import { describe, expect, test } from 'vitest';
import {
  clientSecretNames,
  inOrderOfUse,
  otherSecretAfter,
  provenSecret,
  secretInUse,
} from '../../shared/domain/client-secrets.ts';
import { commitSuccess } from '../../shared/domain/commit-writes.ts';
import type { ClientSecretInUse, Connection } from '../../shared/domain/connection.ts';
import { replaceConfig } from '../../shared/domain/grant-writes.ts';
import { release } from '../../shared/domain/lease-writes.ts';
import { Secret } from '../../shared/domain/secret.ts';
import type { Write } from '../../shared/domain/writes.ts';
import { at, commitOf, connectionOf, dueConnectionOf, heldOf, itemAfter, minute, now } from './fixtures.ts';

const two = { versionId: 'both', names: Object.values(clientSecretNames) };
const config = { ...connectionOf().config, credentials: two };
const having = (clientSecret?: ClientSecretInUse): Connection =>
  dueConnectionOf({ config, ...(clientSecret && { clientSecret }) });
const inUse = (which: 'first' | 'second', more: Partial<ClientSecretInUse> = {}): ClientSecretInUse => ({
  versionId: 'both',
  inUse: which,
  ...more,
});
const first = ([write]: readonly Write[]): Write => write as Write;
const refused = { class: 'misconfigured', cause: 'invalid_client', status: 401 } as const;

describe('the secret in use', () => {
  test.each<[string, Connection, ClientSecretInUse | undefined]>([
    ['is none to speak of where there is one', dueConnectionOf(), undefined],
    ['is the first at the beginning', having(), inUse('first')],
    ['is the one that was noted', having(inUse('second')), inUse('second')],
    [
      'is the first again once other secrets were put',
      having(inUse('second', { versionId: 'before' })),
      inUse('first'),
    ],
  ])('%s', (_, item, expected) => {
    expect(secretInUse(item)).toEqual(expected);
  });

  test('is sent as the client’s secret, and the other one stays known, so that it is never shown', () => {
    const secrets = { client_secret: new Secret('one'), second_client_secret: new Secret('two') };
    const texts = (item: Connection) => Object.values(inOrderOfUse(item, secrets)).map((secret) => secret.reveal());
    expect(inOrderOfUse(having(inUse('second')), secrets).client_secret.reveal()).toBe('two');
    expect(texts(having(inUse('second')))).toEqual(['two', 'one']);
    expect(texts(having())).toEqual(['one', 'two']);
  });
});

describe('after a refusal', () => {
  test.each<[string, Connection, Parameters<typeof otherSecretAfter>[1], ClientSecretInUse | undefined]>([
    ['of the first, the second', having(), refused, inUse('second', { otherRefusedAt: now })],
    ['of the second that worked, the first', having(inUse('second')), refused, inUse('first', { otherRefusedAt: now })],
    ['of both, none', having(inUse('second', { otherRefusedAt: at(1 - minute) })), refused, undefined],
    [
      'of both, but a minute apart, the other once more',
      having(inUse('second', { otherRefusedAt: at(-minute) })),
      refused,
      inUse('first', { otherRefusedAt: now }),
    ],
    ['of the only one, none', dueConnectionOf(), refused, undefined],
    ['of the request, none', having(), { ...refused, cause: 'invalid_request' }, undefined],
    ['of the grant, none', having(), { class: 'dead_grant', cause: 'invalid_grant', status: 400 }, undefined],
    ['that the provider did not make, none', having(), { class: 'misconfigured', cause: 'invalid_client' }, undefined],
  ])('%s', (_, item, refusal, expected) => {
    expect(otherSecretAfter(item, refusal, now)).toEqual(expected);
  });

  test('the error stays counted, and the attempt and the lease are given back', () => {
    const held = heldOf(having());
    const { fence } = held.lease;
    const other = inUse('second', { otherRefusedAt: now });
    const write = first(release(held, undefined, true, other));
    const after = itemAfter(write, held.seen.item);
    expect(after).toMatchObject({ clientSecret: other, attempts: {}, state: 'active' });
    expect(after.calls.failing).toHaveProperty(String(fence));
    expect(after).not.toHaveProperty('lease');
    expect(after).not.toHaveProperty('failure');
  });
});

describe('a token set', () => {
  test('proves the secret that brought it', () => {
    const held = heldOf(having(inUse('second', { otherRefusedAt: now })));
    const write = first(commitSuccess(held, commitOf()));
    expect(itemAfter(write, held.seen.item).clientSecret).toEqual(inUse('second'));
  });

  test('that was found proves neither', () => {
    const held = heldOf(having(inUse('second', { otherRefusedAt: now })));
    const write = first(commitSuccess(held, commitOf({ adoptedFence: 12 })));
    expect(itemAfter(write, held.seen.item).clientSecret).toEqual(inUse('second', { otherRefusedAt: now }));
  });

  test('says nothing where there is one secret', () => {
    expect(provenSecret(dueConnectionOf())).toBeUndefined();
  });
});

describe('settings that are put again', () => {
  test('have both secrets tried again, unless the one in use works', () => {
    const unproven = having(inUse('second', { otherRefusedAt: now }));
    expect(itemAfter(replaceConfig(unproven, config, now), unproven)).not.toHaveProperty('clientSecret');
    const proven = having(inUse('second'));
    expect(itemAfter(replaceConfig(proven, config, now), proven).clientSecret).toEqual(inUse('second'));
  });
});
