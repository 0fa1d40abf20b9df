import { callbackPath } from '../lambdas/routes.ts';
import type { LocalBroker } from './broker.ts';
import { demoConnection } from './demo/demo.ts';
import { account } from './platform/account.ts';

type Welcome = Pick<LocalBroker, 'url' | 'credentials' | 'provider' | 'deployment'> & {
  /** Where the page is, with its key. */
  readonly page?: string;
};

/** Returns what a newcomer needs first: where the broker listens, how to get and use a token, how to connect more. */
export function welcomeTo({ url, credentials, provider, deployment, page }: Welcome, scopePrefix = 'token:'): string {
  const connection = provider ? demoConnection : 'NAME';
  const user = `${credentials.accessKeyId}:${credentials.secretAccessKey}`;
  const signed = `curl --aws-sigv4 "aws:amz:${account.region}:execute-api" --user "${user}"`;
  const jwt = deployment.routes.find(({ routeKey }) => routeKey === 'GET /token/{connection}')?.authorization;
  const byJwt = typeof jwt === 'object';
  const paragraphs = [
    [`The token broker listens on ${url}`, ...(provider ? [`${provider.title} listens on ${provider.url}`] : [])],
    ...(page === undefined ? [] : [['Watch it, and the provider’s side of it, in a browser:'], [`  ${page}`]]),
    byJwt
      ? [
          `Get an access token, with a JWT of ${jwt.issuer} for ${jwt.audience.join(' or ')}`,
          `that has the scope ${scopePrefix}${connection}:`,
        ]
      : ['Get an access token:'],
    [
      byJwt
        ? `  curl -H "Authorization: Bearer $JWT" ${url}/token/${connection}`
        : `  ${signed} ${url}/token/${connection}`,
    ],
    [
      'Use it: send the API what the reply has under "headers".',
      ...(provider?.apiUrl ? ['Here, what the token may read:'] : []),
    ],
    ...(provider?.apiUrl ? [[`  curl -H "Authorization: Bearer ACCESS_TOKEN" ${provider.apiUrl}`]] : []),
    ...(byJwt && !provider ? [['Administer connections:'], [`  ${signed} ${url}/connections`]] : []),
    ...(provider ? anotherOf(url, signed, provider.connection) : []),
  ];
  return `\n${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function anotherOf(
  url: string,
  signed: string,
  connection: NonNullable<LocalBroker['provider']>['connection'],
): string[][] {
  const { client, settings } = connection;
  const put = `  ${signed} -X PUT ${url}/connections/another -d '${JSON.stringify(connection)}'`;
  if (client === undefined || settings.authorization_endpoint === undefined)
    return [['Connect another connection:'], [put]];
  return [
    [
      'Connect another connection, and log in with the link that the second line answers',
      `(client ${client.client_id}, secret ${client.client_secret}, redirect URI ${url}${callbackPath}):`,
    ],
    [put, `  ${signed} -X POST ${url}/connections/another/authorizations`],
  ];
}
