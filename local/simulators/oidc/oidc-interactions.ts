/** The pages on which a person logs in at the local authorization server: one question, two buttons, no password. */
import { text } from 'node:stream/consumers';
import type Provider from 'oidc-provider';

const path = '/interaction';

/** Where oidc-provider sends a browser that has to be asked. */
export const interactionUrl = (_: unknown, { uid }: { readonly uid: string }): string => `${path}/${uid}`;

/** Answers those pages. The person who clicks "Allow" is `accountId` and grants everything that was asked for. */
export function serveInteractions(provider: Provider, accountId: string): void {
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith(`${path}/`)) return next();
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    if (ctx.method !== 'POST') {
      ctx.type = 'html';
      ctx.body = question(String(params.client_id), accountId);
      return;
    }
    const allowed = new URLSearchParams(await text(ctx.req)).get('answer') === 'allow';
    const result = allowed
      ? { login: { accountId }, consent: { grantId: await grantOf(provider, accountId, params) } }
      : { error: 'access_denied', error_description: 'The person said no.' };
    // It writes the redirect itself.
    ctx.respond = false;
    await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
  });
}

async function grantOf(
  provider: Provider,
  accountId: string,
  { client_id: clientId, scope }: Readonly<Record<string, unknown>>,
): Promise<string> {
  const grant = new provider.Grant({ accountId, clientId: String(clientId) });
  grant.addOIDCScope(String(scope));
  return grant.save();
}

const question = (clientId: string, accountId: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in</title></head>
<body style="font: 1rem/1.6 system-ui, sans-serif; max-width: 30rem; margin: 15vh auto; padding: 0 1rem">
<h1 style="font-size: 1.4rem">Let ${clientId} in?</h1>
<p>This authorization server runs on your machine. You are logged in as <b>${accountId}</b>.</p>
<form method="post"><button name="answer" value="allow" autofocus>Allow</button>
<button name="answer" value="deny">Deny</button></form>
</body></html>
`;
