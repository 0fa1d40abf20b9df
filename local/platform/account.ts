/** The account and Region that every local ARN names, and for which requests to the gateway are signed. */
export const account = { region: 'us-east-1', accountId: '000000000000' } as const;

/** Returns the ARN of a resource, such as `arnOf('sqs', 'refresh')`. */
export const arnOf = (service: string, resource: string): string =>
  `arn:aws:${service}:${account.region}:${account.accountId}:${resource}`;

/** What an AWS SDK client of an emulator needs besides its endpoint. The emulators do not verify the signature. */
export const emulatorClient = {
  region: account.region,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
} as const;
