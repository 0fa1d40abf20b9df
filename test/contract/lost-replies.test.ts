/** What becomes of each write of each port when its reply is lost, whatever adapter makes it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Unavailable } from '../../shared/ports/errors.ts';
import { sourcesIn } from '../house/source.ts';
import { memoryConnections } from '../memory/memory-connections.ts';
import { domainWrites, upToTheLast } from './domain-writes.ts';
import { type LostWrite, neverSentAgain, type Servers, sentAgain, startServers, writtenOnce } from './lost-writes.ts';
import { type Loss, Wire } from './wire.ts';

/** The methods of ports that change nothing outside, or whose reply cannot be lost, and why. */
const noWrites: Readonly<Record<string, string>> = {
  'AuthorizationServer.authorizeUrl': 'calculates',
  'AuthorizationServer.obstacleTo': 'calculates',
  'AuthorizationServer.readResponse': 'calculates',
  'BreakerStore.read': 'reads',
  'Chance.grantId': 'calculates',
  'Chance.id': 'calculates',
  'Chance.next': 'calculates',
  'Clock.now': 'reads',
  'Clock.sleep': 'waits',
  'ConnectionRequests.complete': 'calculates',
  'ConnectionRequests.parse': 'calculates',
  'ConnectionDirectory.list': 'reads',
  'ConnectionStore.listDue': 'reads',
  'ConnectionStore.read': 'reads',
  'CredentialStore.read': 'reads',
  'Discovery.discover': 'reads',
  'GrantClaims.read': 'reads',
  'LoginSealer.openLink': 'reads a key',
  'LoginSealer.openState': 'reads a key',
  'LoginSealer.sealLink': 'reads a key',
  'LoginSealer.sealState': 'reads a key',
  'Opener.warm': 'reads a key',
  'Provider.importDigest': 'calculates',
  'ProviderRules.profile': 'calculates',
  'Providers.of': 'calculates',
  'RefreshTokenStore.lookUp': 'reads',
  'RefreshTokenStore.read': 'reads',
  'Sealer.open': 'reads a key',
  'Sealer.ready': 'reads a key',
  'Sealer.seal': 'reads a key',
  'SecretVersions.read': 'reads',
  'Telemetry.count': 'writes a line, and there is no reply',
  'Telemetry.error': 'writes a line, and there is no reply',
  'Telemetry.info': 'writes a line, and there is no reply',
  'Telemetry.warn': 'writes a line, and there is no reply',
};

const everyWrite = [...writtenOnce, ...sentAgain, ...neverSentAgain];

let servers: Servers;
beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => servers.close());

/** What a write answers, and what it leaves behind. */
async function played({ open }: LostWrite, loss: Loss) {
  const wire = new Wire(loss);
  const { act, state } = await open(servers, wire);
  const before = await state();
  const answer = await act();
  return { answer, before, after: await state(), requests: wire.requests, sent: wire.sent };
}

/** A play of its own has names of its own. */
const nameless = (state: unknown): unknown =>
  JSON.parse(
    JSON.stringify(state ?? null).replaceAll(/connection-\d+|application \d+|lost-\d+|announcement-\d+/g, 'it'),
  );

describe('there is a case', () => {
  test('for each method of a port that writes', () => {
    const methods = sourcesIn('shared/ports/*.ts').flatMap((source) => source.methods);
    const known = [...new Set(everyWrite.map(({ method }) => method)), ...Object.keys(noWrites)];
    expect(known.toSorted()).toEqual(methods.toSorted());
  });

  test('for each write of the domain', async () => {
    const named = sourcesIn('shared/domain/{*-writes,announcements}.ts').flatMap(({ lines }) =>
      [...lines.join('\n').matchAll(/\bname: '([a-z_]+)'/g)].map(([, name]) => name),
    );
    const store = memoryConnections();
    const names = await Promise.all(
      Object.values(domainWrites).map(async (steps) => (await upToTheLast(store, steps)).write.name),
    );
    expect([...new Set(names)].toSorted()).toEqual([...new Set(named)].toSorted());
  });
});

describe('sent again by the client, since the reply to the first try of each request was lost', () => {
  test.each(writtenOnce)('$method of $adapter answers and leaves what it does otherwise', async (write) => {
    const [calm, lossy] = [await played(write, 'none'), await played(write, 'first try of each')];
    expect(calm.requests).toBeGreaterThan(0);
    // What a play cannot see it could not miss either.
    expect(nameless(calm.after)).not.toEqual(nameless(calm.before));
    expect(lossy.sent).toBe(2 * lossy.requests);
    expect(lossy.answer).toEqual(calm.answer);
    expect(nameless(lossy.after)).toEqual(nameless(calm.after));
  });

  test.each(sentAgain)('$method of $adapter is there twice, and alike', async (write) => {
    const { after, before, sent } = await played(write, 'first try of each');
    const [one] = (await played(write, 'none')).after as readonly unknown[];
    expect({ before, sent }).toEqual({ before: [], sent: 2 });
    expect(nameless(after)).toEqual(nameless([one, one]));
  });

  test.each(neverSentAgain)('$method of $adapter is in doubt, and was sent once', async (write) => {
    expect(await played(write, 'first try of each')).toMatchObject({ answer: 'lost', after: 1, sent: 1 });
  });
});

describe('when all replies to a request are lost, and its caller tries again,', () => {
  test.each(writtenOnce)('$method of $adapter answers and leaves what it does otherwise', async (write) => {
    const calm = await played(write, 'none');
    for (let request = 0; request < calm.requests; request += 1) {
      const wire = new Wire({ request });
      const { act, state } = await write.open(servers, wire);
      await expect(act()).rejects.toThrow(Unavailable);
      wire.mend();
      expect(await act()).toEqual(calm.answer);
      expect(nameless(await state())).toEqual(nameless(calm.after));
    }
  });

  test.each(sentAgain)('$method of $adapter is there as often as it was sent', async (write) => {
    const wire = new Wire({ request: 0 });
    const { act, state } = await write.open(servers, wire);
    await expect(act()).rejects.toThrow(Unavailable);
    wire.mend();
    await act();
    expect(await state()).toHaveLength(wire.sent);
  });
});
