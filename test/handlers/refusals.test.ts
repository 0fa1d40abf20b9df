import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../shared/domain/limits.ts';
import { type Answer, hunt, openWorld } from './world.ts';

let world: Awaited<ReturnType<typeof openWorld>>;
beforeAll(async () => {
  world = await openWorld();
  await world.call('PUT /connections/exact', sound());
  await world.refresh('exact');
});
afterAll(() => world.close());

/** A request that would be accepted. */
const sound = (more: object = {}) => ({
  provider: 'generic-oauth2',
  settings: { token_endpoint: world.provider.tokenEndpoint },
  client: { client_id: 'app', client_secret: world.secret('client') },
  refresh_token: world.secret('refresh'),
  ...more,
});

/** The faulty fields, after all that is true of every refusal: it names them all, and nothing was changed. */
async function refused(call: () => Promise<Answer>): Promise<unknown[]> {
  const before = await world.stored();
  const { status, body } = await call();
  expect({ status, ...body }).toMatchObject({ status: 400, code: 'invalid_request', retryable: false, downstream_errors: [] });
  expect(await world.stored()).toEqual(before);
  const faults = body['faults'] as { readonly path: string; readonly message: string }[];
  for (const { path, message } of faults) {
    expect(message).not.toBe('');
    expect(body['detail']).toContain(`${path}: ${message}`);
  }
  return faults.map(({ path }) => path);
}

describe('PUT names every fault at once', () => {
  test.each<[string, unknown, string[]]>([
    ['nothing', {}, ['provider', 'client.client_id']],
    ['no object', [], ['']],
    ['fields that it does not know', sound2({ providr: 1, clientId: 2 }), ['providr', 'clientId']],
    ['wrong types', sound2({ settings: [], client: 'app', refresh_token: 5, renewal: 1, margin_seconds: '60' }), []],
  ])('%s', async () => {});
});
