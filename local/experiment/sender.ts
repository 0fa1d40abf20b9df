import type { ExactOnline } from '../simulators/exact-online.ts';

/** Sends one record, and returns whether it was delivered. May reject: then it was not. */
export type Sender = () => Promise<boolean>;

/** Returns the API's status. */
export async function callApi(exact: ExactOnline, accessToken: string): Promise<number> {
  const response = await fetch(exact.apiEndpoint, { headers: { authorization: `Bearer ${accessToken}` } });
  await response.body?.cancel();
  return response.status;
}
