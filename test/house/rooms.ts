/** The rooms of the product, floor by floor from the ground up, and what each of them may import. */

export interface Room {
  /** What the paths of its files begin with. */
  readonly files: string;
  /** It has more files than this. A room without files would keep every rule. */
  readonly moreThan: number;
  /** What its imports may begin with, besides `files`: rooms that stand before it in this list, and packages. */
  readonly imports: readonly string[];
}

const protocol = ['shared/domain/', 'shared/ports/'];

const floors: readonly (readonly Room[])[] = [
  // Decides. Pure, without a package.
  [{ files: 'shared/domain/', moreThan: 30, imports: [] }],
  // Says what the world must offer, what is done with it, and what each provider is like. Asks nothing of a machine.
  [
    { files: 'shared/ports/', moreThan: 12, imports: ['shared/domain/'] },
    { files: 'shared/application/', moreThan: 12, imports: protocol },
    {
      files: 'shared/providers/',
      moreThan: 40,
      imports: [...protocol, 'valibot', 'fast-xml-parser', 'ipaddr.js', 'otpauth', 'node:crypto'],
    },
    { files: 'shared/canary/', moreThan: 2, imports: [...protocol, 'node:crypto'] },
    { files: 'client/', moreThan: 6, imports: ['shared/domain/', 'shared/providers/', 'aws4fetch', 'valibot'] },
  ],
  // Does it: with AWS, with providers, in functions.
  [
    {
      files: 'shared/adapters/system.ts',
      moreThan: 0,
      imports: [...protocol, 'node:crypto', 'node:timers/promises'],
    },
    { files: 'shared/adapters/telemetry.ts', moreThan: 0, imports: [...protocol, '@aws-lambda-powertools/'] },
    {
      files: 'shared/adapters/aws/',
      moreThan: 6,
      imports: [...protocol, 'shared/canary/', '@aws-sdk/', 'valibot', 'node:crypto', 'node:util'],
    },
    {
      files: 'shared/adapters/sealing/',
      moreThan: 2,
      imports: [...protocol, 'shared/adapters/aws/', '@aws-sdk/', 'jose', 'valibot', 'node:crypto'],
    },
    {
      files: 'shared/adapters/secrets/',
      moreThan: 4,
      imports: [...protocol, 'shared/adapters/aws/', 'shared/adapters/sealing/', '@aws-sdk/', 'valibot', 'node:crypto'],
    },
    {
      files: 'shared/adapters/oauth/',
      moreThan: 5,
      imports: [
        ...protocol,
        'shared/providers/',
        'shared/adapters/system.ts',
        'oauth4webapi',
        'jose',
        'otpauth',
        'request-filtering-agent',
        'node:',
      ],
    },
    { files: 'shared/environment.ts', moreThan: 0, imports: [] },
    { files: 'shared/compose.ts', moreThan: 0, imports: ['shared/', '@aws-sdk/client-secrets-manager'] },
    { files: 'lambdas/', moreThan: 8, imports: ['shared/', 'aws-lambda', 'valibot', 'node:crypto'] },
  ],
  // Deploys it: to AWS, and to this machine.
  [
    {
      files: 'infra/',
      moreThan: 12,
      imports: [
        'shared/',
        'lambdas/',
        'cdk.json',
        'package.json',
        'aws-cdk-lib',
        'constructs',
        'cdk-nag',
        'esbuild',
        'valibot',
        '@valibot/',
        'node:',
      ],
    },
    {
      files: 'local/',
      moreThan: 50,
      imports: [
        'infra/',
        'package.json',
        'lambdas/routes.ts',
        'lambdas/replies.ts',
        'shared/providers/deadlines.ts',
        '@aws-sdk/',
        '@smithy/',
        'aws-cdk-lib/cx-api',
        'aws-lambda',
        'dynalite',
        'fast-xml-parser',
        'jose',
        'oidc-provider',
        'otpauth',
        'valibot',
        'node:',
      ],
    },
  ],
  // Operates it.
  [
    {
      files: 'cli/',
      moreThan: 15,
      imports: [
        'shared/domain/',
        'lambdas/replies.ts',
        'lambdas/routes.ts',
        'shared/canary/',
        'shared/providers/',
        // The probe sends and reads as the product does.
        'shared/adapters/oauth/',
        'shared/adapters/system.ts',
        'shared/application/outcome-of.ts',
        // The export reads grants as the refresh function does.
        'shared/application/load-secrets.ts',
        'shared/adapters/aws/dynamodb-connections.ts',
        'shared/adapters/sealing/',
        'shared/adapters/secrets/',
        'shared/ports/',
        'package.json',
        'local/log-file.ts',
        'local/running-broker.ts',
        'local/triggers.ts',
        'local/page/',
        'local/platform/loopback.ts',
        'local/platform/sign',
        '@aws-sdk/',
        '@inquirer/prompts',
        'csv-parse/sync',
        'jose',
        'open',
        'valibot',
        'yargs',
        'node:',
      ],
    },
  ],
];

/** Measures it: on virtual time, with the product's own decisions. */
const bench: Room = {
  files: 'bench/',
  moreThan: 8,
  imports: [
    'shared/',
    'infra/',
    'lambdas/routes.ts',
    'local/',
    'test/sim/',
    'test/kill/',
    'test/end-to-end/waiting-clients.ts',
    '@aws-sdk/',
    'esbuild',
    'openid-client',
    'node:',
  ],
};

export const rooms: readonly Room[] = [...floors.flat(), bench];
