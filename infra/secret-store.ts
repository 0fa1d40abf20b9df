/** Where the connections' own secrets are kept. */
export const secretStores = ['secrets-manager', 'dynamodb'] as const;
export type SecretStore = (typeof secretStores)[number];

export const isSecretStore = (value: unknown): value is SecretStore => secretStores.some((store) => store === value);

/** Returns what the context `secretStore` says. Throws if it is neither. */
export function secretStoreOf(context: unknown = 'secrets-manager'): SecretStore {
  if (isSecretStore(context)) return context;
  throw new Error(`context secretStore: takes ${secretStores.join(' or ')}, not ${JSON.stringify(context)}`);
}
