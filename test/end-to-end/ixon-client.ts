/** What the tests of IXON send: what connects, and what a client asks of the API. */

import { adviceOn } from '../../client/advice.ts';
import type { Ixon } from '../../local/simulators/ixon.ts';

/** What was sent or served, and must be in no log. */
export const secrets: string[] = [];

/** What connects the user, with a second factor or without. */
export const userOf = ({ user, companyId, tokenEndpoint }: Ixon, settings: object = {}) => ({
  provider: 'ixon-user',
  settings: {
    token_endpoint: tokenEndpoint,
    application_id: user.applicationId,
    company_id: companyId,
    email: user.email,
    password: user.password,
    ...settings,
  },
  renewal: 'always',
});

export const serviceAccountOf = ({ serviceAccount, companyId }: Ixon) => ({
  provider: 'ixon-service-account',
  settings: { application_id: serviceAccount.applicationId, company_id: companyId, token: serviceAccount.token },
});

/** A client's request to IXON with what it was given, and nothing else; and what the client is advised to do then. */
export async function ask({ apiEndpoint }: Ixon, { headers, access_token: token }: Readonly<Record<string, unknown>>) {
  if (typeof token === 'string') secrets.push(token);
  const reply = await fetch(apiEndpoint, { headers: headers as Record<string, string> });
  const seen = { status: reply.status, headers: Object.fromEntries(reply.headers), body: await reply.text() };
  return { status: reply.status, advice: adviceOn('ixon-user', seen, { method: 'GET', now: Date.now() }) };
}

export const useApi = async (ixon: Ixon, token: Readonly<Record<string, unknown>>): Promise<number> =>
  (await ask(ixon, token)).status;

/** How IXON answered each call for an access token. */
export const mints = ({ ledger }: Ixon): number[] =>
  ledger.filter(({ path }) => path === '/api/access-tokens').map(({ status }) => status);
