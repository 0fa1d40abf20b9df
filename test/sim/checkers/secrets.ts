/** What must hold while a client's secret is replaced (S5, S8, S10). */
import { bounded, type Checker, type Watched } from './checker.ts';

/**
 * One of two secrets is good at every instant: no refusal of the other one is a verdict, and no grant is left in force
 * for it where the provider takes revocations.
 */
export const secretsAreTried = ({ world, violate }: Watched): Checker => ({
  onWrite(name, { state }) {
    if (world.options.rotation !== undefined && state === 'misconfigured')
      violate('S5', `${name}: the client is called wrong, and one of its two secrets is good`);
  },
  onLog(event, { code }) {
    if (world.options.rotation !== undefined && event === 'connection_deleted' && code === 'http_401')
      violate('S10', 'the grant was not revoked: the client was refused, and one of its two secrets is good');
  },
});

/** A secret that the provider refused costs one error: it is left alone as long as the other one is taken. */
export const refusedSecretsRest = ({ world, rates, violate }: Watched): Checker => {
  const refused = new Set<string>();
  let good: string | undefined;
  const steady = bounded(rates) && rates.pause === 0 && rates.table === 0 && rates.outages === 0;
  return {
    onRemove() {
      refused.clear();
      good = undefined;
    },
    onCall({ secret }) {
      // A login learns which secret is good as well, and tells renewals.
      if (world.provider.redemptions.length > 0) return;
      if (steady && secret !== undefined && refused.has(secret) && good !== undefined)
        violate('S8', `the ${secret} secret was sent, which was refused, though the ${good} one works`);
    },
    onReply({ secret, result, status }) {
      if (world.options.rotation === undefined || secret === undefined) return;
      if (result === 'client_refused' && status === 401) {
        refused.add(secret);
        if (good === secret) good = undefined;
      } else if (status === 200) {
        refused.delete(secret);
        good = secret;
      }
    },
  };
};
