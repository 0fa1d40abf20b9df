/** Makes the provider on this machine go wrong on purpose. */
import { isTrigger, type Triggers, triggers } from '../local/triggers.ts';
import { CommandFailure, exitCodes, wrongInput } from './failure.ts';
import type { Target } from './target.ts';

/** Returns undefined where the broker has no provider of its own beside it. */
export function triggerOf(target: Target): Triggers | undefined {
  if (target.kind !== 'local' || target.running.triggers === undefined) return undefined;
  const { url, key } = target.running.triggers;
  const ask = async <T>(path: string, method: string): Promise<T> => {
    const reply = await fetch(url + path, { method, headers: { authorization: `Bearer ${key}` } }).catch(() => {
      throw new CommandFailure('The provider on this machine cannot be reached.', exitCodes.tryAgain);
    });
    const answer = (await reply.json()) as T & { readonly said: string };
    if (!reply.ok) throw new CommandFailure(answer.said);
    return answer;
  };
  return {
    look: () => ask('/', 'GET'),
    async pull(kind, grant) {
      if (!isTrigger(kind)) throw wrongInput(`trigger: takes ${Object.keys(triggers).join(', ')}.`);
      return ask(`/${kind}${grant === undefined ? '' : `?grant=${encodeURIComponent(grant)}`}`, 'POST');
    },
  };
}
