import { onTestFinished } from 'vitest';
import { type ExactOnline, type ExactOnlineFacts, startExactOnline } from '../../../local/simulators/exact-online.ts';
import { manualClock } from './manual-clock.ts';

/** What came back, with the body as it was sent. */
interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty if the body is no JSON. */
  readonly body: {
    readonly access_token?: string;
    readonly refresh_token?: string;
    readonly expires_in?: unknown;
    readonly error?: string;
  };
}

/** A simulator for one test, at a clock that stands still. */
export async function exactOnline(facts: Partial<ExactOnlineFacts> = {}, speed = 1) {
  const clock = manualClock(speed);
  const exact = await startExactOnline({ clock, facts });
  onTestFinished(() => exact.close());
  return { clock, exact };
}

/** Renews as clients do, with the secret in the body or in the header. */
export async function renew(
  exact: ExactOnline,
  refreshToken: string,
  { basic = false, client = exact.client } = {},
): Promise<Answered> {
  const { clientId, clientSecret } = client;
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
  if (!basic)
    for (const [name, value] of Object.entries({ client_id: clientId, client_secret: clientSecret }))
      form.set(name, value);
  const headers = basic ? { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` } : undefined;
  return answered(await fetch(exact.tokenEndpoint, { method: 'POST', body: form, ...(headers && { headers }) }));
}

/** Asks the API who one is. */
export const me = async (exact: ExactOnline, accessToken = ''): Promise<Answered> =>
  answered(await fetch(exact.apiEndpoint, { headers: { authorization: `Bearer ${accessToken}` } }));

async function answered(response: Response): Promise<Answered> {
  const text = await response.text();
  const body = text.startsWith('{') ? (JSON.parse(text) as Answered['body']) : {};
  return { status: response.status, headers: response.headers, text, body };
}
