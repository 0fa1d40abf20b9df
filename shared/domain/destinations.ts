/**
 * Where secrets may be sent. Each secret names its destinations inside its own text, which a writer of the table of
 * connections cannot change: settings that name another endpoint do not get it.
 */

/**
 * Endpoints by the names of their settings: `token_endpoint`, `revocation_endpoint`. One that the settings give is its
 * URL; one of a preset is the preset with the settings in it, so that a preset that follows its provider to another
 * address keeps its connections.
 */
export type Destinations = Readonly<Record<string, string>>;

/** Returns what is wrong, in words, where secrets that are for `named` are asked for by settings that name `asked`. */
export function misdirection(named: Destinations, asked: Destinations): string | undefined {
  const wrong = Object.entries(asked).flatMap(([endpoint, address]) => {
    const stored = named[endpoint];
    if (stored === address) return [];
    const instead = stored === undefined ? 'for no endpoint of that kind' : `for ${printable(stored)}`;
    return [`the settings name ${printable(address)} as ${endpoint}, and the secrets are stored ${instead}`];
  });
  return wrong.length === 0 ? undefined : wrong.join('; ');
}

/** Without a query: a secret may be in it. */
function printable(address: string): string {
  const url = URL.parse(address);
  return url === null || url.origin === 'null' ? address : `${url.origin}${url.pathname}`;
}
