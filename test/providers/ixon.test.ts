import { describe, expect, test } from 'vitest';
import type { EpochMs } from '../../shared/domain/time.ts';
import { now, obtain, startLoopback, tokensOf } from './loopback.ts';

const secretId = 'A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8';
const minted = JSON.stringify({
  status: 'success',
  type: 'AccessToken',
  data: { publicId: 'Abc123Def456', expiresOn: '2026-03-02T12:00:00Z', secretId },
});
const settings = (url: string, more: object = {}) => ({
  token_endpoint: `${url}/api/access-tokens?fields=publicId,secretId,expiresOn`,
  application_id: 'aB3dE6gH9jK2',
  email: 'jo@example.com',
  ...more,
});
const error = (message: string, propertyName?: string) =>
  JSON.stringify({
    type: 'Error',
    data: [{ message, ...(propertyName && { propertyName }) }],
    moreAfter: null,
    status: 'error',
  });

describe('an IXON user', () => {
  test('mints a token by e-mail address and password, with the middle empty where there is no second factor', async () => {
    const { url, seen } = await startLoopback(201, minted);
    const tokens = tokensOf(await obtain('ixon-user', settings(url), { password: 'pä:ss' }));
    expect(tokens.accessToken.reveal()).toBe(secretId);
    expect(tokens.expiresAt).toBe(now + 86_400_000);
    expect(tokens).not.toHaveProperty('refreshToken');
    const [request] = seen;
    expect(request?.url).toBe('/api/access-tokens?fields=publicId,secretId,expiresOn');
    expect(request?.headers).toMatchObject({
      'api-version': '2',
      'api-application': 'aB3dE6gH9jK2',
      'content-type': 'application/json',
    });
    expect(Buffer.from(request?.headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString()).toBe(
      'jo@example.com::pä:ss',
    );
    // A number, as the settings have it.
    expect(JSON.parse(request?.body ?? '')).toEqual({ expiresIn: 86_400 });
  });

  test('asks for the life that its settings say', async () => {
    const { url, seen } = await startLoopback(201, minted);
    await obtain('ixon-user', settings(url, { token_lifetime_seconds: 3_600 }), { password: 'p' });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ expiresIn: 3_600 });
  });

  // RFC 6238, appendix B: the last six digits of the SHA-1 column.
  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [2_000_000_000, '279037'],
  ])('proves a second factor by the time: %i s', async (seconds, otp) => {
    const { url, seen } = await startLoopback(
      201,
      JSON.stringify({ data: { secretId, expiresOn: '2100-01-01T00:00:00Z' } }),
    );
    const seed = 'gezd gnbv gy3t qojq gezd gnbv gy3t qojq';
    await obtain('ixon-user', settings(url), { password: 'p', otp_seed: seed }, { at: (seconds * 1_000) as EpochMs });
    expect(Buffer.from(seen[0]?.headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString()).toBe(
      `jo@example.com:${otp}:p`,
    );
  });

  test('without its password asks for nothing', async () => {
    const { url, seen } = await startLoopback(201, minted);
    expect(await obtain('ixon-user', settings(url), {})).toMatchObject({ kind: 'failure', code: 'password_missing' });
    expect(seen).toEqual([]);
  });

  test.each<[string, number, string, object]>([
    [
      'a wrong password',
      401,
      error('Invalid value', 'Authorization'),
      { class: 'misconfigured', cause: 'invalid_client', code: 'authorization', description: 'Invalid value' },
    ],
    [
      'a second factor that is not there',
      403,
      error('2FA is required'),
      { class: 'misconfigured', cause: 'invalid_client' },
    ],
    [
      'bad encoding',
      400,
      error('Value is too long', 'Authorization'),
      { class: 'misconfigured', cause: 'invalid_request' },
    ],
    [
      'no type',
      400,
      error('Authorization must start with a type and have a credentials', 'Authorization'),
      { cause: 'invalid_request' },
    ],
    ['no form', 400, error('Value does not match regex expression', 'Authorization'), { cause: 'invalid_request' }],
    [
      'a wrong application',
      400,
      error('Invalid value', 'Api-Application'),
      { class: 'misconfigured', cause: 'invalid_request', code: 'api-application' },
    ],
    [
      'an error with 200',
      200,
      error('Invalid value', 'Authorization'),
      { class: 'misconfigured', cause: 'invalid_client' },
    ],
    ['too many requests', 429, '', { class: 'transient', retryAt: now + 600_000 }],
    ['something else', 418, error('Teapot'), { class: 'transient', retryAt: now + 1_800_000 }],
    ['a gateway', 504, '<html>', { class: 'in_doubt', code: 'http_504' }],
  ])('is told of %s', async (_, status, body, expected) => {
    const { url } = await startLoopback(status, body);
    expect(await obtain('ixon-user', settings(url), { password: 'hunter2' })).toMatchObject({
      kind: 'failure',
      ...expected,
    });
  });

  test('never finds its secrets in what the provider says', async () => {
    const { url } = await startLoopback(
      400,
      error('Value is too long: hunter2 of Basic am9AZXhhbXBsZS5jb206Omh1bnRlcjI='),
    );
    expect(JSON.stringify(await obtain('ixon-user', settings(url), { password: 'hunter2' }))).not.toMatch(
      /hunter2|am9A/,
    );
  });
});
