/**
 * Where each report and each attack of the survey is held: by entries of the corpus that name it, or by tests of other
 * rooms.
 */

/** A test by its file and the beginning of its name, or of the table or describe block that it is in. */
type Held = readonly [file: string, name: string];

export interface Report {
  /** Repository and number, the specification, or how it was met. */
  readonly source: string;
  readonly input: string;
  /** Empty where the corpus has entries that name the source. */
  readonly held: readonly Held[];
}

const corpus = (source: string, input: string): Report => ({ source, input, held: [] });
const held = (source: string, input: string, ...tests: readonly Held[]): Report => ({ source, input, held: tests });

const connect = 'test/handlers/connect.test.ts';
const login = 'test/handlers/login.test.ts';
const imports = 'test/handlers/imports.test.ts';
const outdated = 'test/handlers/outdated.test.ts';
const access = 'test/handlers/access.test.ts';
const memories = 'test/application/memories.test.ts';
const breaker = 'test/scenarios/breaker.test.ts';
const waiting = 'test/scenarios/waiting.test.ts';
const clients = 'test/scenarios/clients.test.ts';
const deployments = 'test/infra/deployments.test.ts';
const deployment = 'test/infra/deployment.test.ts';
const permissions = 'test/infra/permissions.test.ts';
const context = 'test/infra/context.test.ts';
const assertions = 'test/providers/client-authentication.test.ts';
const gateway = 'test/local/platform/gateway.test.ts';
const localBroker = 'test/local/platform/broker.test.ts';
const tokenEndpoint = 'test/contract/token-endpoint.test.ts';
const redactions = 'test/domain/redact.test.ts';
const samples = 'test/samples.test.ts';

export const reports: readonly Report[] = [
  // A grant is lost, or taken for lost.
  corpus('segmentio/action-destinations#2300', 'invalid_grant: already being processed'),
  corpus('restforce#412', 'invalid_grant: login rate exceeded'),
  corpus('forcedotcom/sfdx-core#1342', 'invalid_grant of an authorization code, in an incident'),
  corpus('athenaFlex#107', 'invalid_grant: ip restricted'),
  corpus('authlib#112', 'invalid_request that names the refresh token'),
  corpus('FlowFuse#8547', 'invalid_client that sends a person to log in'),
  held(
    'Pipedream, July 2022',
    'many living grants of one application are refused within minutes',
    [breaker, 'fifty living grants of one application, and the provider refuses them all within minutes'],
    [breaker, 'one grant that is refused while all the rest are renewed gets its verdict at once'],
    ['test/operations/alarms.test.ts', 'RefusalsWithheld rings when many living grants are refused at once'],
  ),
  corpus('modelcontextprotocol/typescript-sdk#2408', 'a reply that is compressed though identity was asked for'),
  corpus('a server in the field', 'a refresh token with a line break at its end'),
  corpus('keycloak/keycloak#32926', 'refresh_expires_in, and a connection at rest'),
  corpus('openid/AppAuth-Android#531', 'sisters of refresh_token_expires_in'),
  corpus('Google, an app in testing', 'an end in a week that no renewal moves'),
  held('AutoGPT#10493', 'a revocation that ends other grants of the user', [
    assertions,
    'nothing is revoked where that would end other grants',
  ]),
  held('xero-ruby#125', 'the same at Xero', [assertions, 'nothing is revoked where that would end other grants']),
  corpus('keycloak/keycloak#8966', 'an assertion from the future'),
  corpus('panva/openid-client#302', 'an assertion that is not valid yet'),
  corpus('bluesky-social/atproto#4474', 'a server whose clock is behind'),
  corpus('thunderid#4220', 'an assertion for the issuer'),
  held('thunderid#4220', 'an assertion for the issuer where there is one', [
    assertions,
    'the issuer where there is one, unless a setting says otherwise',
  ]),
  corpus('windmill#8540', 'scope at a refresh'),
  corpus('requests-oauthlib#437', 'redirect_uri at a refresh'),
  corpus('Duende foss#145', 'audience and resource with client credentials'),
  corpus('athenaFlex#55', 'client_id in the body beside Basic'),
  corpus('n8n#16573', 'a form type without a character set'),
  corpus('keycloak#20671', 'audience at a refresh'),

  // A dead grant is asked for ever, or the person is told something else.
  corpus('home-assistant/core#141223', '200 with an error of GitHub'),
  corpus('slackapi/node-slack-sdk#2038', '200 with ok: false'),
  corpus('decocms/studio#3774', 'a list of errors'),
  corpus('google-api-nodejs-client#1256', 'deleted_client'),
  corpus('vscode-azure-account#673', 'interaction_required, whatever number is beside it'),
  corpus('freelawproject/courtlistener#7927', 'a token endpoint that redirects'),
  corpus('forcedotcom/ForceCLI#645', '404 at the token endpoint'),
  held(
    'hello.js#323, Rock#6635',
    'an error without state',
    [connect, 'with an error that is none of the protocol’s shows nothing of it'],
    [connect, 'with %s and no state tells the code and what to do, and the words go to the log'],
  ),
  held(
    'streamlit#15589, muster#1090',
    'a callback that is fetched ahead, and one that comes twice',
    [connect, 'that a browser fetches ahead is left alone'],
    [login, 'the second time, and says again what came of the first'],
    [login, 'when it comes twice at the same time: one of them redeems, and each tells it'],
  ),
  held('asciisd/zoho#18', 'a callback from another data centre', [
    connect,
    'from another data centre names the region to put (asciisd/zoho#18)',
  ]),
  held('n8n#26021', 'Zoho in Canada', ['test/providers/profile.test.ts', 'is another one at Zoho in Canada']),

  // Tokens and values that are wrong.
  corpus('pipedream#9252', 'the same access token again, with a whole life'),
  corpus('doorkeeper#225', 'the same with an hour'),
  corpus('owncloud/web#7636', 'a session that ends all its tokens'),
  corpus('ZohoClient#11', 'milliseconds beside seconds'),
  corpus('DuendeArchive#1413', 'a label for a token type'),
  corpus('postman#4140', 'another label'),
  corpus('trycompai/comp#3229', 'instance_url with the login only'),
  held('nango#328, windmill#6232', 'realmId of the callback', [
    login,
    'brings what the callback tells: clients get it with the token, and it stays with the grant',
  ]),
  corpus('nango#328', 'realmId of an imported grant'),
  corpus('spring-security-oauth#828', 'scope that is not told, or told otherwise'),
  held('casdoor#2498, activepieces#15023', 'a state that is too long, and longer with the name', [
    login,
    'asks for a code with PKCE, for this client, and back to this API',
  ]),
  held('oidc-client-ts#1449', 'a blank in scope', [
    login,
    'asks for a code with PKCE, for this client, and back to this API',
  ]),

  // AWS.
  held(
    'AWS: a memory outlives what it remembers',
    'a token of a connection that was deleted, or put for another company',
    [memories, 'no environment serves a token once DELETE was answered'],
    [memories, 'a read that was under way when the grant was replaced is not remembered for longer'],
  ),
  held('AWS: the reply to a write is lost', 'a probe of the breaker that does not know its own write', [
    breaker,
    'a probe whose reply is lost is made all the same: the way is not shut for the time of a call',
  ]),
  held(
    'AWS: two deployments in one account and Region',
    'alarms and stacks of both',
    [deployments, 'a second deployment of the account and Region'],
    ['test/contract/telemetry.test.ts', 'another deployment has a namespace of its own'],
  ),
  held('AWS: grants that grant nothing', 'grantGetToken to an account', [
    permissions,
    'a grant that would grant nothing is an error that says what to do',
  ]),
  held(
    'Cognito, Entra, Auth0',
    'scopes in other claims, with other prefixes',
    [access, 'look for the scopes that the deployment says its issuer gives'],
    [deployments, 'scopes of an issuer with other claims reach the token function, and no other'],
  ),
  held('AWS: logs of API Gateway', 'an access-log group of another name', [deployment, '/aws/vendedlogs/']),
  held(
    'AWS: a status that nobody documents',
    'a bare 429 of the stage, a bare 503 of Lambda',
    [gateway, 'is so many at once, and so many a second from then on; the rest is a bare 429'],
    [gateway, 'a function that Lambda throttles is a bare 503'],
    ['test/operations/alarms.test.ts', 'RequestsThrottled rings for five 429 in the access log'],
  ),
  held('AWS: a first deployment that fails', 'a state that is protected before it is there', [
    deployment,
    'RetainExceptOnCreate',
  ]),
  held(
    'AWS: context that cannot be deployed',
    'names and values that are mistaken',
    [context, 'context that cannot be used stops the synthesis'],
    [context, 'with every fault at once'],
  ),
  held('AWS: embedded elsewhere', 'the stacks in a stage with an environment', [
    deployments,
    'the stacks in a stage of another app',
  ]),
  held(
    'AWS: an address of one’s own',
    'a mapping key',
    [deployments, 'has its certificate, and leads to the API by its path'],
    [login, 'leads back to the address of the deployment’s own, with its path, whatever host the caller used'],
  ),

  // Attacks.
  held(
    'fuzzing',
    'half a surrogate pair beside a rotated refresh token',
    ['test/application/outcome-of.test.ts', 'a reply with half a surrogate pair in it gives the refresh token'],
    [assertions, 'a secret that has no encoding stops its connection, without a call and without an exception'],
  ),
  corpus('fuzzing', 'the same through the exchange'),
  held('RFC 7523 §3', 'an assertion that is good at another server', [
    assertions,
    'the endpoint that it is sent to, and no other',
  ]),
  held(
    'RFC 9700 §4.4 (mix-up)',
    'a code of one provider, taken to another',
    [connect, 'mix-up: one provider’s code, taken to another'],
    [connect, 'a state comes back to the redirect URI of another connection'],
    [connect, 'a provider that always says who it is (RFC 9207) is not believed without'],
  ),
  held(
    'RFC 9700 §4.7 (fixation)',
    'a login that one began and another one ends',
    [connect, 'a login that the thief began, clicked by a victim, connects nothing'],
    [connect, 'a cookie that nobody here made is no browser'],
  ),
  held(
    'waiting starves',
    'clients of one connection that hangs',
    [waiting, 'beside any number of clients of one that hangs, which are told when to come again'],
    [waiting, 'clients of one that hangs hold all that is free only until its renewal is late'],
  ),
  held('time that grows with the square', 'long texts for each expression', [
    redactions,
    '%s: an expression sees a few thousand characters of them',
  ]),
  corpus('OWASP ASVS 5.0 V16', 'a client secret as the code of an error'),
  held('OWASP ASVS 5.0 V16', 'a secret in other clothes', [redactions, 'a secret in other clothes']),
  held('RFC 6749 §A.4', 'a claim that is no scope', [access, 'access to a connection']),
  held(
    'addresses by another name',
    'IPv4 inside of IPv6, in a URL and behind a name',
    ['test/providers/endpoint-url.test.ts', 'is no endpoint'],
    ['test/contract/resolved-addresses.test.ts', 'a name that resolves to %s among public addresses'],
  ),
  held(
    'who writes the table',
    'another token endpoint for a stored secret',
    ['test/handlers/destinations.test.ts', 'who writes the table of connections'],
    ['test/contract/refresh-token-store.test.ts', 'a secret is handed out for its own destinations only'],
  ),
  held('conditions that another call lacks', 'a transaction that returns items', [
    permissions,
    "'dynamodb:EnclosingOperation': 'TransactWriteItems'",
  ]),
  held(
    'local files and hosts',
    'an open directory, and DNS rebinding',
    [localBroker, 'in a directory that was there before, and that other users of the machine can open,'],
    ['test/local/platform/loopback.test.ts', 'a request that a web page was tricked into sending (DNS rebinding)'],
  ),
  held('a changed endpoint is told', 'a PUT of other settings, a DELETE', [
    'test/handlers/events.test.ts',
    'of settings that a PUT replaces, by name and without values',
  ]),

  // A first day.
  held('a first day', 'a sample that does not work', [samples, 'samples']),
  held(
    'a first day',
    'a preset that is gone',
    [outdated, 'stop the connection, without a call and without a crash, and clients are told why'],
    [outdated, 'do not hinder its deletion'],
    [outdated, 'a connection goes on by itself when its preset is back'],
  ),
  held('a first day', 'advice that runs in a circle', [
    connect,
    'is not made where there is no login, with advice that can be followed',
  ]),
  held('a first day', 'the old token after a reconnection', [
    login,
    'connects: its token is served at once, without another call, and renewed when due',
  ]),
  held('a first day', 'a report of a token of a dead grant', [
    'test/handlers/token.test.ts',
    'later: what it has left is served until it expires',
  ]),
  held('a first day', 'context with a letter too few', [context, 'with every fault at once']),
  held('a first day', 'a query that is ignored', [
    connect,
    'is refused with every fault at once, and with what was meant',
  ]),
  held('a first day', 'a fault in a preset', ['test/providers/presets.test.ts', 'all faults are told at once']),
  held('a first day', 'a note that is shown five times', [localBroker, 'says once what is announced again']),
  held(
    'a first day',
    'an import of nonsense',
    [imports, 'is told what the provider says of nonsense'],
    [imports, 'without it, the status says that nothing is proven until a renewal has succeeded'],
  ),
  held('a first day', 'a request that is signed wrong', [gateway, 'the terminal does not show the secret']),
  held('a first day', 'a simulation without a verdict', [
    'test/sim/arguments.test.ts',
    'npm run sim ends with a verdict',
  ]),

  // Right from the beginning.
  held('right from the beginning', 'fifty clients, one call', [
    clients,
    'one asks, one call is made, everybody is served',
  ]),
  held(
    'right from the beginning',
    'a reply that is lost before or after the rotation',
    ['test/end-to-end/exact-online-failures.test.ts', 'a reply that is lost where a refresh token works twice'],
    ['test/scenarios/crashes.test.ts', 'the replay waits until the dead holder cannot answer any more'],
  ),
  held('right from the beginning', 'secrets with signs in them', [
    tokenEndpoint,
    'authenticates with HTTP Basic, form-encoded, and leaves readable what need not be encoded',
  ]),
  corpus('design, S5', 'an outage is never a dead grant'),
  held('right from the beginning', '429 with Retry-After', [
    'test/scenarios/providers.test.ts',
    '429 with Retry-After is obeyed',
  ]),
  held('right from the beginning', 'dead grants of HubSpot, Zoho and Exact Online', [
    'test/providers/error-rules.test.ts',
    'what a token endpoint says',
  ]),
  held('right from the beginning', 'a rotated refresh token inside of an error', [
    'test/scenarios/providers.test.ts',
    'error reply with a refresh token',
  ]),
  held('right from the beginning', 'a login that is denied, and tried again', [
    login,
    'that the person refuses changes nothing, and the link may be opened again',
  ]),
  held('right from the beginning', 'scanners that open links', [
    connect,
    'opens a page that changes nothing, however often it is opened, by whatever',
  ]),
  held('right from the beginning', 'payload format 2.0', [gateway, 'reaches the function as payload format 2.0']),
  held('right from the beginning', 'a process that was frozen', [
    tokenEndpoint,
    'an answer that arrived while the process was frozen is taken, though its time is up',
  ]),
  held('right from the beginning', 'a deleted secret that is put again', [
    'test/contract/refresh-token-store.test.ts',
    'deleted',
  ]),
  held('right from the beginning', 'logical ids that stay', [
    deployments,
    'has the logical ids of the first, but for those that CDK makes of a path',
  ]),
  held('right from the beginning', 'signatures that are forged', [gateway, 'holds for what was signed']),
  held('right from the beginning', 'JWTs that are forged', ['test/local/platform/jwt.test.ts', 'refused is']),
  held('right from the beginning', 'stored secrets taken to a new endpoint', [
    'test/handlers/destinations.test.ts',
    'cannot be brought in in two steps',
  ]),
  held('right from the beginning', 'states that are forged', [
    login,
    'with a state that was altered, is missing, is there twice, or belongs to no connection',
  ]),
  held('right from the beginning', 'sealed texts that change places', [
    'test/contract/sealer.test.ts',
    'does not open',
  ]),
  held('right from the beginning', 'markup on the page', [
    'test/handlers/login-pages.test.ts',
    'shows a provider’s words as text, whatever they are',
  ]),
  held('right from the beginning', 'bad bodies and paths', [
    'test/handlers/refusals.test.ts',
    'PUT refuses, and names every faulty field',
  ]),
  held('right from the beginning', 'alarm, article, what to do', ['test/documentation.test.ts', 'docs/operations.md']),
];
